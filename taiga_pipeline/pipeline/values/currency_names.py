"""Currencies by the names that programs and people write out, in the languages of the mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Final

_DOLLARS: Final = "dollar dollars dólar dólares dolar dolares dollari dollaria"
_CROWNS: Final = "krona kronor krone kroner kronen kroon kruunu kruunua couronne couronnes corona"
_POUNDS: Final = "pound pounds pund pfund livre livres libra libras sterlina sterline pond punta"
_FRANCS: Final = "franc francs franken frank franco francos franchi frangi"
_PESOS: Final = "peso pesos"
_RUPEES: Final = "rupee rupees rupie rupien rupia rupias roupie roupies"

_ALONE: Final = {
    "euro euros eurot euroa evro ευρώ евро": "EUR",
    _DOLLARS: "USD CAD AUD NZD MXN HKD SGD TWD ARS CLP COP UYU BRL JMD TTD BBD BSD NAD FJD LRD",
    _CROWNS: "SEK NOK DKK ISK",
    "króna krónur": "ISK",
    _POUNDS: "GBP EGP",
    "sterling": "GBP",
    _FRANCS: "CHF XOF XAF XPF",
    "schweizerfranken": "CHF",
    "yen jen yens": "JPY",
    "yuan renminbi rmb": "CNY",
    _RUPEES: "INR PKR LKR NPR MUR SCR",
    _PESOS: "MXN ARS CLP COP PHP UYU DOP CUP",
    "zloty złoty złote złotych zlotych zloties": "PLN",
    "koruna koruny korun": "CZK",
    "forint forints": "HUF",
    "rubel ruble rubles rouble roubles рубль рубля рублей": "RUB BYN",
    "hryvnia hryvnias гривна гривень": "UAH",
    "lira liras lire": "TRY LBP SYP",
    "real reais": "BRL",
    "rand rands": "ZAR",
    "shekel shekels": "ILS",
    "won": "KRW KPW",
    "baht": "THB",
    "ringgit": "MYR",
    "rupiah": "IDR",
    "dirham dirhams": "AED MAD",
    "riyal riyals": "SAR QAR",
}
_ADJECTIVES: Final = (
    ("us u.s. usa american united-states amerikanische amerikanska amerikanske", _DOLLARS, "USD"),
    ("canadian kanadische kanadensiska", _DOLLARS, "CAD"),
    ("australian australische australiska", _DOLLARS, "AUD"),
    ("new-zealand neuseeland", _DOLLARS, "NZD"),
    ("hong-kong hongkong", _DOLLARS, "HKD"),
    ("singapore", _DOLLARS, "SGD"),
    ("swedish svensk svenska schwedische", _CROWNS, "SEK"),
    ("norwegian norsk norske norska norwegische", _CROWNS, "NOK"),
    ("danish dansk danske danska dänische", _CROWNS, "DKK"),
    ("icelandic isländska", f"{_CROWNS} króna krónur", "ISK"),
    ("czech tschechische", f"{_CROWNS} koruna koruny", "CZK"),
    ("british uk brittiska britische", _POUNDS, "GBP"),
    ("egyptian", _POUNDS, "EGP"),
    ("swiss schweizer schweiziska", _FRANCS, "CHF"),
    ("indian indische indiska", _RUPEES, "INR"),
    ("pakistani pakistan", _RUPEES, "PKR"),
    ("mexican", _PESOS, "MXN"),
    ("argentine", _PESOS, "ARS"),
    ("chilean", _PESOS, "CLP"),
    ("colombian", _PESOS, "COP"),
    ("philippine", _PESOS, "PHP"),
    ("japanese", "yen", "JPY"),
    ("chinese", "yuan renminbi yuan-renminbi", "CNY"),
    ("polish", "zloty złoty", "PLN"),
    ("hungarian", "forint", "HUF"),
    ("russian", "ruble rubles rouble roubles", "RUB"),
    ("turkish", "lira", "TRY"),
    ("brazilian", "real reais", "BRL"),
    ("south-african", "rand", "ZAR"),
    ("south-korean", "won", "KRW"),
    ("saudi", "riyal", "SAR"),
    ("uae u.a.e.", "dirham", "AED"),
    ("moroccan", "dirham", "MAD"),
)
_BEHIND: Final = (
    (_POUNDS, "sterling esterlina esterlinas", "GBP"),
    (_DOLLARS, "us usa", "USD"),
    (_DOLLARS, "américain américains americano americanos estadounidense", "USD"),
    (_DOLLARS, "canadien canadiens canadiense canadienses", "CAD"),
    (_FRANCS, "suisse suisses suizo suizos svizzeri", "CHF"),
    (_CROWNS, "suédoise suédoises sueca suecas svenska", "SEK"),
    ("peso pesos", "mexicano mexicanos", "MXN"),
)


def _names() -> Iterator[tuple[str, str]]:
    for words, codes in _ALONE.items():
        yield from ((word, codes) for word in words.split())
    for first, second, code in (*_ADJECTIVES, *_BEHIND):
        for pair in product(first.split(), second.split()):
            yield " ".join(pair).replace("-", " "), code


NAMES: Final[Mapping[str, tuple[str, ...]]] = {name: tuple(c.split()) for name, c in _names()}
"""A name without letter case, its words apart by one blank: the currencies that it may stand for."""
