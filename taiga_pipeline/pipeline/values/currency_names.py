"""Currencies by the names that programs and people write out, in the languages of the mappings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
_IN_FULL: Final = {
    "USD": (
        "american dollar|american dollars|amerikaanse dollar|amerikansk dollar|"
        "amerikanska dollar|amerikanske dollar|dolar amerykański|dolary amerykańskie|"
        "dolarów amerykańskich|dollar des états unis|dollar us|dollari statunitensi|"
        "dollaro statunitense|dollars des états unis|dollars us|dólar americano|"
        "dólar estadounidense|dólares americanos|dólares estadounidenses|u.s. dollar|"
        "u.s. dollars|united states dollar|us dollar|us dollars|usa dollar|"
        "yhdysvaltain dollari|yhdysvaltain dollaria"
    ),
    "GBP": (
        "britische pfund|britisches pfund|british pound|british pounds|britisk pund|"
        "britiske pund|britse pond|brittiska pund|brittiskt pund|englannin punta|"
        "englannin puntaa|funt szterling|funty szterlingi|funtów szterlingów|libra esterlina|"
        "libras esterlinas|livre sterling|livres sterling|pfund sterling|pound sterling|"
        "pounds sterling|sterlina britannica|sterline britanniche|sterling pounds|uk pound|"
        "uk pounds"
    ),
    "SEK": (
        "coroa sueca|coroas suecas|corona sueca|corona svedese|coronas suecas|corone svedesi|"
        "couronne suédoise|couronnes suédoises|koron szwedzkich|korona szwedzka|"
        "korony szwedzkie|ruotsin kruunu|ruotsin kruunua|schwedische krone|"
        "schwedische kronen|svensk krona|svensk krone|svenska kronor|svenske kroner|"
        "swedish krona|swedish kronor|zweedse kronen|zweedse kroon"
    ),
    "NOK": (
        "coroa norueguesa|coroas norueguesas|corona noruega|corona norvegese|"
        "coronas noruegas|corone norvegesi|couronne norvégienne|couronnes norvégiennes|"
        "koron norweskich|korona norweska|korony norweskie|noorse kronen|noorse kroon|"
        "norjan kruunu|norjan kruunua|norsk krona|norsk krone|norska kronor|norske kroner|"
        "norwegian krone|norwegian kroner|norwegische krone|norwegische kronen"
    ),
    "DKK": (
        "coroa dinamarquesa|coroas dinamarquesas|corona danesa|corona danese|coronas danesas|"
        "corone danesi|couronne danoise|couronnes danoises|danish krone|danish kroner|"
        "dansk krona|dansk krone|danska kronor|danske kroner|deense kronen|deense kroon|"
        "dänische krone|dänische kronen|koron duńskich|korona duńska|korony duńskie|"
        "tanskan kruunu|tanskan kruunua"
    ),
    "CHF": (
        "franc suisse|franchi svizzeri|franco suizo|franco suíço|franco svizzero|"
        "francos suizos|francos suíços|francs suisses|frank szwajcarski|franki szwajcarskie|"
        "franków szwajcarskich|schweizer franken|schweizerfranc|schweizisk franc|"
        "schweiziska franc|sveitsin frangi|sveitsin frangia|sveitsisk franc|sveitsiske franc|"
        "swiss franc|swiss francs|zwitserse frank"
    ),
    "CAD": (
        "canadese dollar|canadian dollar|canadian dollars|canadisk dollar|canadiske dollar|"
        "dolar kanadyjski|dolary kanadyjskie|dolarów kanadyjskich|dollar canadien|"
        "dollari canadesi|dollaro canadese|dollars canadiens|dólar canadense|"
        "dólar canadiense|dólares canadenses|dólares canadienses|kanadan dollari|"
        "kanadan dollaria|kanadensisk dollar|kanadensiska dollar|kanadische dollar|"
        "kanadischer dollar|kanadisk dollar|kanadiske dollar"
    ),
    "AUD": (
        "australian dollar|australian dollari|australian dollaria|australian dollars|"
        "australische dollar|australischer dollar|australisk dollar|australiska dollar|"
        "australsk dollar|australske dollar|dolar australijski|dolary australijskie|"
        "dolarów australijskich|dollar australien|dollari australiani|dollaro australiano|"
        "dollars australiens|dólar australiano|dólares australianos"
    ),
    "NZD": (
        "dolar nowozelandzki|dolary nowozelandzkie|dolarów nowozelandzkich|"
        "dollar néo zélandais|dollari neozelandesi|dollaro neozelandese|"
        "dollars néo zélandais|dólar neozelandés|dólar neozelandês|dólares neozelandeses|"
        "neuseeland dollar|new zealand dollar|new zealand dollars|newzealandsk dollar|"
        "newzealandske dollar|nieuw zeelandse dollar|nyzeeländsk dollar|nyzeeländska dollar|"
        "uuden seelannin dollari|uuden seelannin dollaria"
    ),
    "JPY": (
        "iene japonês|ienes japoneses|japanese yen|japanin jeni|japanin jeniä|japanische yen|"
        "japanischer yen|japanse yen|japansk yen|japanska yen|japanske yen|jen japoński|"
        "jeny japońskie|jenów japońskich|yen giapponese|yen giapponesi|yen japonais|"
        "yen japonés|yenes japoneses|yens japonais"
    ),
    "CNY": (
        "chinese yuan|chinese yuan renminbi|chinesischer yuan|juan chiński|juany chińskie|"
        "juanów chińskich|kiinan juan|kiinan juania|kinesisk yuan|kinesiska yuan|"
        "kinesiske yuan|renminbi yuan|yuan chinês|yuan cinese|yuan cinesi|yuan renminbi|"
        "yuan renminbi chinois|yuanes renminbi|yuans chineses|yuans renminbi chinois"
    ),
    "INR": (
        "indian rupee|indian rupees|indiase roepie|indische rupie|indische rupien|"
        "indisk rupee|indisk rupi|indisk rupie|indiska rupier|indiske rupees|indiske rupier|"
        "intian rupia|intian rupiaa|roupie indienne|roupies indiennes|rupia india|"
        "rupia indiana|rupia indyjska|rupias indianas|rupias indias|rupie indiane|"
        "rupie indyjskie|rupii indyjskich"
    ),
    "PLN": (
        "esloti polaco|eslotis polacos|polish zloty|polish zlotys|polnische złoty|"
        "polnischer złoty|polsk zloty|polska zloty|polske zloty|poolse zloty|puolan złoty|"
        "puolan złotya|zloty polacchi|zloty polacco|zloty polonais|zloty polonês|"
        "zlotys polonais|zlotys poloneses|złote polskie|złoty polski|złotych polskich"
    ),
    "CZK": (
        "coroa tcheca|coroas tchecas|corona ceca|corona checa|coronas checas|corone ceche|"
        "couronne tchèque|couronnes tchèques|czech koruna|czech korunas|koron czeskich|"
        "korona czeska|korony czeskie|tjeckisk koruna|tjeckiska koruna|tjekkisk koruna|"
        "tjekkiske korunaer|tschechische krone|tschechische kronen|tsjechische kronen|"
        "tsjechische kroon|tsjekkisk koruna|tsjekkiske koruna|tšekin koruna|tšekin korunaa"
    ),
    "HUF": (
        "fiorini ungheresi|fiorino ungherese|florim húngaro|florins húngaros|forint hongrois|"
        "forint węgierski|forinto húngaro|forintos húngaros|forints hongrois|"
        "forinty węgierskie|forintów węgierskich|hongaarse forint|hungarian forint|"
        "hungarian forints|ungarische forint|ungarischer forint|ungarsk forint|"
        "ungarske forinter|ungersk forint|ungerska forinter|unkarin forintti|"
        "unkarin forinttia"
    ),
    "RUB": (
        "rouble russe|roubles russes|rubel rosyjski|ruble rosyjskie|rubli rosyjskich|"
        "rubli russi|rublo ruso|rublo russo|rublos rusos|rublos russos|russian ruble|"
        "russian rubles|russische roebel|russische rubel|russischer rubel|russisk rubel|"
        "russiske rubler|rysk rubel|ryska rubel|venäjän rupla|venäjän ruplaa"
    ),
    "TRY": (
        "lir tureckich|lira turca|lira turecka|liras turcas|lire turche|liry tureckie|"
        "livre turque|livres turques|turkin liira|turkin liiraa|turkish lira|turkisk lira|"
        "turkiska lira|turkse lira|tyrkisk lira|tyrkisk lire|tyrkiske lira|tyrkiske lire|"
        "türkische lira"
    ),
    "BRL": (
        "brasilian real|brasilian realia|brasilianische real|brasilianischer real|"
        "brasiliansk real|brasilianska real|brasilianske real|brasilianske realer|"
        "braziliaanse real|brazilian real|brazilian reals|reais brasileiros|real brasileiro|"
        "real brasileño|real brasiliani|real brasiliano|real brazylijski|reale brazylijskie|"
        "reales brasileños|reali brazylijskich|réal brésilien|réals brésiliens"
    ),
    "MXN": (
        "meksikansk peso|meksikanske pesos|meksikon peso|meksikon pesoa|mexicaanse peso|"
        "mexican peso|mexican pesos|mexicansk peso|mexicanske pesos|mexikanische pesos|"
        "mexikanischer peso|mexikansk peso|mexikanska pesos|peso meksykańskie|peso messicano|"
        "peso mexicain|peso mexicano|pesos meksykańskich|pesos meksykańskie|pesos messicani|"
        "pesos mexicains|pesos mexicanos"
    ),
    "ZAR": (
        "etelä afrikan randi|etelä afrikan randia|rand południowoafrykański|"
        "rand sud africain|rand sudafricani|rand sudafricano|rand sul africano|"
        "rands sud africains|rands sudafricanos|rands sul africanos|"
        "randy południowoafrykańskie|randów południowoafrykańskich|south african rand|"
        "sydafrikansk rand|sydafrikanska rand|sydafrikanske rand|sørafrikansk rand|"
        "sørafrikanske rand|südafrikanische rand|südafrikanischer rand|zuid afrikaanse rand"
    ),
    "ILS": (
        "israeli new shekel|israeli new shekels|israeli shekel|israelin uusi sekeli|"
        "israelin uutta sekeliä|israelische neue schekel|israelischer neuer schekel|"
        "israelisk ny shekel|israeliska nya shekel|israëlische nieuwe shekel|"
        "nouveau shekel israélien|nouveaux shekels israéliens|novo shekel israelense|"
        "novos shekels israelenses|nowe szekle izraelskie|nowy szekel izraelski|"
        "nowych szekli izraelskich|nuevo séquel israelí|nuevos séqueles israelíes|"
        "nuovi sicli israeliani|nuovo siclo israeliano|ny israelsk shekel|"
        "nye israelske shekel|nye israelske shekler"
    ),
    "KRW": (
        "etelä korean won|etelä korean wonia|south korean won|sydkoreansk won|"
        "sydkoreanska won|sydkoreanske won|sørkoreansk won|sørkoreanske won|"
        "südkoreanische won|südkoreanischer won|won południowokoreański|won sud coréen|"
        "won sudcoreani|won sudcoreano|won sul coreano|won surcoreano|wons sud coréens|"
        "wons sul coreanos|wons surcoreanos|wony południowokoreańskie|"
        "wonów południowokoreańskich|zuid koreaanse won"
    ),
    "AED": (
        "arabiemiirikuntien dirhami|arabiemiirikuntien dirhamia|dirham degli eau|"
        "dirham degli emirati arabi uniti|dirham des émirats arabes unis|dirham dos eau|"
        "dirham dos emirados árabes unidos|dirham fra de forenede arabiske emirater|"
        "dirham zea|dirhams des émirats arabes unis|dirhams dos eau|dirhamy zea|dirhamów zea|"
        "dírham de los emiratos árabes unidos|dírhams de los emiratos árabes unidos|"
        "emiratarabisk dirham|emiratarabiske dirham|emiratisk dirham|fae dirham|uae dirham|"
        "uae dirhams|united arab emirates dirham|vae dirham|"
        "verenigde arabische emiraten dirham"
    ),
    "SAR": (
        "rial saudyjski|rial saudí|riale saudyjskie|riales saudíes|riali saudyjskich|"
        "riyal saoudien|riyal saudita|riyal sauditi|riyales sauditas|riyals saoudiens|"
        "saoedi arabische riyal|saudi arabian rial|saudi arabian rialia|saudi rial|"
        "saudi riyal|saudi riyals|saudiarabisk riyal|saudiarabiske riyal|"
        "saudiarabiske riyaler|saudisk riyal|saudiska riyal"
    ),
    "THB": (
        "baht tailandês|baht tajski|baht thailandese|baht thailandesi|baht thaïlandais|"
        "bahts tailandeses|bahts thaïlandais|bahty tajskie|bahtów tajskich|bat tailandés|"
        "bats tailandeses|thai baht|thailandsk baht|thailandske baht|thailändische baht|"
        "thailändischer baht|thailändsk baht|thailändska baht|thaimaan baht|thaimaan bahtia|"
        "thaise baht"
    ),
    "SGD": (
        "dolar singapurski|dolary singapurskie|dolarów singapurskich|dollar de singapour|"
        "dollari di singapore|dollaro di singapore|dollars de singapour|dólar singapurense|"
        "dólar singapuriano|dólares singapurenses|dólares singapurianos|singapore dollar|"
        "singapore dollars|singaporeansk dollar|singaporeanske dollar|singaporen dollari|"
        "singaporen dollaria|singaporese dollar|singaporiansk dollar|singaporianska dollar|"
        "singaporsk dollar|singaporske dollar|singapur dollar"
    ),
    "HKD": (
        "dolar hongkoński|dolary hongkońskie|dolarów hongkońskich|dollar de hong kong|"
        "dollari di hong kong|dollaro di hong kong|dollars de hong kong|dólar de hong kong|"
        "dólar hongkonés|dólares de hong kong|dólares hongkoneses|hong kong dollar|"
        "hong kong dollars|hongkong dollar|hongkongdollar|hongkongin dollari|"
        "hongkongin dollaria|hongkongse dollar|hongkongsk dollar|hongkongske dollar"
    ),
    "ISK": (
        "coroa islandesa|coroas islandesas|corona islandesa|corona islandese|"
        "coronas islandesas|corone islandesi|couronne islandaise|couronnes islandaises|"
        "icelandic króna|icelandic krónur|ijslandse kronen|ijslandse kroon|islandsk krone|"
        "islandske kroner|islannin kruunu|islannin kruunua|isländische krone|"
        "isländische kronen|isländsk krona|isländska kronor|koron islandzkich|"
        "korona islandzka|korony islandzkie"
    ),
}
"""As the Unicode consortium's data (CLDR) has them, and a few more."""


def _names() -> Iterator[tuple[str, str]]:
    for words, codes in _ALONE.items():
        yield from ((word, codes) for word in words.split())
    for code, names in _IN_FULL.items():
        yield from ((name, code) for name in names.split("|"))


NAMES: Final[Mapping[str, tuple[str, ...]]] = {name: tuple(c.split()) for name, c in _names()}
"""A name without letter case, its words apart by one blank: what currencies it may stand for."""
