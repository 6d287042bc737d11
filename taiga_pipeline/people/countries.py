"""Countries as people write them: codes of two or three letters, and names in nine languages."""

from __future__ import annotations

import re
from typing import Final

from taiga_pipeline.pipeline.cleaning import clean_line
from taiga_pipeline.pipeline.errors import InvalidValue
from taiga_pipeline.pipeline.importing.headers import plain_header

_CODE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

_OTHER_CODES: Final = {"UK": "GB", "EL": "GR"}
"""What people and the European Union write for codes of ISO 3166."""

_NAMES: Final = """
AR|ARG|Argentina|Argentinien|Argentine|Argentinië
AT|AUT|Austria|Österreich|Österrike|Autriche|Áustria|Oostenrijk|Østrig|Østerrike
AU|AUS|Australia|Australien|Australie|Austrália|Australië
BE|BEL|Belgium|Belgien|Belgique|Bélgica|België|Belgia
BG|BGR|Bulgaria|Bulgarien|Bulgarie|Bulgária|Bulgarije
BR|BRA|Brazil|Brasilien|Brésil|Brasil|Brazilië
CA|CAN|Canada|Kanada|Canadá
CH|CHE|Switzerland|Schweiz|Suisse|Suiza|Suíça|Zwitserland|Sveits|Svizzera
CL|CHL|Chile|Chili
CN|CHN|China|Kina|Chine
CO|COL|Colombia|Kolumbien|Colombie|Colômbia
CY|CYP|Cyprus|Zypern|Cypern|Chypre|Chipre|Kypros
CZ|CZE|Czechia|Czech Republic|Tschechien|Tjeckien|Tchéquie|Chequia|Tsjechië|Tjekkiet|Tsjekkia
DE|DEU|Germany|Deutschland|Tyskland|Allemagne|Alemania|Alemanha|Duitsland
DK|DNK|Denmark|Dänemark|Danmark|Danemark|Dinamarca|Denemarken
EE|EST|Estonia|Estland|Estonie|Estónia
ES|ESP|Spain|Spanien|Espagne|España|Espanha|Spanje|Spania
FI|FIN|Finland|Finnland|Finlande|Finlandia|Finlândia|Suomi
FR|FRA|France|Frankreich|Frankrike|Francia|França|Frankrijk|Frankrig
GB|GBR|United Kingdom|Great Britain|Britain|Vereinigtes Königreich|Großbritannien|Storbritannien|
Royaume-Uni|Reino Unido|Verenigd Koninkrijk|Storbritannia
GR|GRC|Greece|Griechenland|Grekland|Grèce|Grecia|Grécia|Griekenland|Grækenland|Hellas
HR|HRV|Croatia|Kroatien|Croatie|Croacia|Croácia|Kroatië|Kroatia
HU|HUN|Hungary|Ungarn|Ungern|Hongrie|Hungría|Hungria|Hongarije
IE|IRL|Ireland|Irland|Irlande|Irlanda|Ierland
IN|IND|India|Indien|Inde|Índia
IS|ISL|Iceland|Island|Islande|Islandia|Islândia|IJsland
IT|ITA|Italy|Italien|Italie|Italia|Itália|Italië
JP|JPN|Japan|Japon|Japón|Japão
LT|LTU|Lithuania|Litauen|Lituanie|Lituania|Lituânia|Litouwen
LU|LUX|Luxembourg|Luxemburg|Luxemburgo
LV|LVA|Latvia|Lettland|Lettonie|Letonia|Letônia|Letland|Latvija
MT|MLT|Malta|Malte
MX|MEX|Mexico|Mexiko|Mexique|México
NL|NLD|Netherlands|The Netherlands|Holland|Niederlande|Nederländerna|Pays-Bas|Países Bajos|
Países Baixos|Nederland|Nederlandene|Holanda
NO|NOR|Norway|Norwegen|Norge|Norvège|Noruega|Noorwegen
NZ|NZL|New Zealand|Neuseeland|Nya Zeeland|Nouvelle-Zélande|Nueva Zelanda|Nieuw-Zeeland
PL|POL|Poland|Polen|Pologne|Polonia|Polônia|Polska
PT|PRT|Portugal
RO|ROU|Romania|Rumänien|Roumanie|Rumania|Romênia|Roemenië
RS|SRB|Serbia|Serbien|Serbie|Sérvia|Servië
SE|SWE|Sweden|Schweden|Sverige|Suède|Suecia|Suécia|Zweden
SG|SGP|Singapore|Singapur|Singapour
SI|SVN|Slovenia|Slowenien|Slovenien|Slovénie|Eslovenia|Eslovênia|Slovenië
SK|SVK|Slovakia|Slowakei|Slovakien|Slovaquie|Eslovaquia|Eslováquia|Slowakije
TR|TUR|Turkey|Türkiye|Türkei|Turkiet|Turquie|Turquía|Turquia|Turkije|Tyrkiet
UA|UKR|Ukraine|Ukraina|Ucrania|Ucrânia|Oekraïne
US|USA|United States|United States of America|U.S.A.|U.S.|Vereinigte Staaten|Förenta staterna|
États-Unis|Estados Unidos|Verenigde Staten|Forenede Stater
ZA|ZAF|South Africa|Südafrika|Sydafrika|Afrique du Sud|Sudáfrica|África do Sul|Zuid-Afrika
"""
_BY_NAME: Final = {
    plain_header(name): names[0]
    for line in _NAMES.strip().replace("|\n", "|").splitlines()
    for names in (line.split("|"),)
    for name in names[1:]
}


def country_named(text: str) -> str:
    """Returns the code of a country that is written as a name or a code; "" for none.

    :raises InvalidValue: it is neither a code nor a known name.
    """
    return _BY_NAME.get(plain_header(text)) or country_code(text)


def country_code(text: str) -> str:
    """Returns the code of a country, with its part if one is named: ``SE``, ``DE-BY``; "" for none.

    :raises InvalidValue: it is not a code.
    """
    plain = clean_line(text)
    if not plain:
        return ""
    code = plain.upper().replace("_", "-").replace(" - ", "-")
    country, hyphen, part = code.partition("-")
    code = f"{_OTHER_CODES.get(country, country)}{hyphen}{part}"
    if _CODE.fullmatch(code):
        return code
    raise InvalidValue(f"{text!r} is not a country code; write two letters like SE, or DE-BY")
