"""Names of months in the languages of the mappings and of well-known CRM programs.

English, Swedish, German, French, Spanish, Portuguese, Dutch, Danish, Norwegian, Finnish, Italian,
Polish, Czech, Slovak, Hungarian, Turkish and Romanian, in full and abbreviated. A test compares
them with the Unicode consortium's data (CLDR).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Final

_NAMES: Final[tuple[str, ...]] = (
    "january jan januari januar janvier janv enero ene janeiro tammikuu tammikuuta tammi gennaio "
    "gen styczeń stycznia sty leden ledna led "
    "január januára ocak oca ianuarie ian",
    "february feb februari februar februari février févr fév febrero fevereiro fev helmikuu "
    "helmikuuta helmi febbraio luty lutego lut únor února úno "
    "február februára febr şubat şub februarie",
    "march mar mars märz maerz mrz marzo março maart mrt marts maaliskuu maaliskuuta maalis marzec "
    "marca březen března bře "
    "marec március márc mart martie",
    "april apr avril avr abril abr huhtikuu huhtikuuta huhti aprile kwiecień kwietnia kwi "
    "duben dubna dub "
    "apríl apríla április ápr nisan nis aprilie",
    "may maj mai mayo maio mei toukokuu toukokuuta touko maggio mag maja květen května kvě "
    "máj mája május mayıs mayis",
    "june jun juni juin junio junho kesäkuu kesäkuuta kesä giugno giu czerwiec czerwca cze "
    "červen června čvn "
    "jún júna június haziran haz iunie iun",
    "july jul juli juillet juil julio julho heinäkuu heinäkuuta heinä luglio lug lipiec lipca lip "
    "červenec července čvc "
    "júl júla július temmuz tem iulie iul",
    "august aug augusti août agosto ago augustus elokuu elokuuta elo sierpień sierpnia sie "
    "srpen srpna srp "
    "augusta augusztus ağustos ağu",
    "september sep sept septembre septiembre setembro set syyskuu syyskuuta syys settembre "
    "wrzesień września wrz září zář "
    "septembra szeptember szept eylül eyl septembrie",
    "october oct oktober okt octobre octubre outubro out lokakuu lokakuuta loka ottobre ott "
    "październik października paź říjen října říj "
    "októbra október ekim eki octombrie",
    "november nov novembre noviembre novembro marraskuu marraskuuta marras listopad listopada "
    "listopadu lis "
    "novembra kasım kasim kas noiembrie noi",
    "december dec dezember dez décembre déc diciembre dic dezembro desember des joulukuu "
    "joulukuuta joulu dicembre grudzień grudnia gru prosinec prosince pro "
    "decembra aralık aralik ara decembrie",
)


def _plain(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


_NUMBERS: Final[Mapping[str, int]] = {
    _plain(name): number for number, names in enumerate(_NAMES, 1) for name in names.split()
}


def month_number(name: str) -> int | None:
    """Returns 1 to 12 for the name of a month, in any of the languages; None for other words."""
    return _NUMBERS.get(_plain(name))
