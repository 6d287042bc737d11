"""Currencies: the codes of ISO 4217, and the signs and names that people write for them.

The codes are those in use, and those that ended since 2010 and still are in old deals. A test
compares them with the Unicode consortium's data (CLDR).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from taiga_pipeline.pipeline.values.currency_names import NAMES
from taiga_pipeline.pipeline.values.patterns import pattern

CODES: Final = frozenset(
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP "
    "BYN BYR BZD CAD CDF CHF CLF CLP CNH CNY COP CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK EGP ERN "
    "ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HRK HTG HUF IDR ILS INR IQD IRR ISK "
    "JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD MAD MDL MGA "
    "MKD MMK MNT MOP MRO MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP "
    "PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SLL SOS SRD SSP STD STN SVC "
    "SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VEF VES VND VUV WST XAF "
    "XCD XCG XOF XPF YER ZAR ZMK ZMW ZWG ZWL".split()
)

THREE_DECIMALS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())
"""Currencies with thousandths: there, three digits after a separator may well be a fraction."""

_DOLLARS: Final = "USD CAD AUD NZD MXN HKD SGD TWD ARS CLP COP UYU BRL JMD TTD BBD BSD NAD FJD LRD"
_CROWNS: Final = "SEK NOK DKK ISK"

SIGNS: Final[Mapping[str, tuple[str, ...]]] = {
    sign: tuple(codes.split())
    for signs, codes in (
        ("€", "EUR"),
        ("£ ₤", "GBP EGP"),
        ("us$ usd$ $us u$s us-$ u.s.$", "USD"),
        ("ca$ c$ can$ cad$ cdn$", "CAD"),
        ("a$ au$ aud$", "AUD"),
        ("nz$ nzd$", "NZD"),
        ("hk$", "HKD"),
        ("s$ sg$", "SGD"),
        ("nt$", "TWD"),
        ("mx$ mex$", "MXN"),
        ("r$", "BRL"),
        ("$", _DOLLARS),
        ("¥ ￥", "JPY CNY"),
        ("cn¥ 元 人民币 人民幣", "CNY"),
        ("jp¥ 円", "JPY"),
        ("kr", _CROWNS),
        ("skr", "SEK"),
        ("nkr", "NOK"),
        ("dkr", "DKK"),
        ("isk", "ISK"),
        ("₹", "INR"),
        ("rs ₨ re", "INR PKR LKR NPR MUR SCR"),
        ("zł zl", "PLN"),
        ("kč kc", "CZK"),
        ("ft", "HUF"),
        ("lei leu", "RON MDL"),
        ("лв lv", "BGN"),
        ("₽ руб р rub", "RUB"),
        ("₺ tl", "TRY"),
        ("₴ грн", "UAH"),
        ("₩ 원", "KRW"),
        ("₪", "ILS"),
        ("฿", "THB"),
        ("₫ đ", "VND"),
        ("₱", "PHP"),
        ("₦", "NGN"),
        ("₵", "GHS"),
        ("₡", "CRC"),
        ("₲", "PYG"),
        ("₸", "KZT"),
        ("₾", "GEL"),
        ("₼", "AZN"),
        ("rm", "MYR"),
        ("rp", "IDR"),
        ("r", "ZAR"),
        ("s/", "PEN"),
        ("bs", "BOB VES"),
        ("sfr", "CHF"),
        ("fr", "CHF XOF XAF XPF"),
        ("dh dhs", "AED MAD"),
        ("د.إ", "AED"),
        ("ر.س", "SAR"),
    )
    for sign in signs.split()
}
"""Sign, without letter case and final points: the currencies that it may stand for."""


_LONGEST: Final = 60
_TWICE: Final = pattern(r"(?P<one>[^-–:(/]+?)\s*[-–:(/]\s*(?P<other>[^()]+?)\s*\)?")


def currencies_of(word: str) -> tuple[str, ...]:
    """Returns the codes that a code, a sign or a name may stand for, () if it is none of them.

    ``SEK - Swedish krona`` and ``Euro (EUR)`` are one currency said twice.
    """
    plain = word.strip()
    found = _said_once(plain)
    if found or len(plain) > _LONGEST:
        return found
    twice = _TWICE.fullmatch(plain)
    if twice is None:
        return ()
    one, other = _said_once(twice["one"]), _said_once(twice["other"])
    return tuple(code for code in one if code in other)


def _said_once(plain: str) -> tuple[str, ...]:
    code = plain.rstrip("$€£").upper()
    if len(code) == 3 and code in CODES:
        return (code,)
    folded = plain.casefold()
    name = " ".join(folded.replace("-", " ").split())
    return SIGNS.get(folded.rstrip(".")) or NAMES.get(name) or ()
