"""The countries a phone number can belong to: ISO 3166 codes and the everyday English name.

The two-letter code is what the phone library calls a region. `AC`, `TA` and `XK` have no place of their own in ISO 3166
but have dial codes, so they are here.
"""

import re
import unicodedata

_TABLE = """
AC ASC Ascension Island
AD AND Andorra
AE ARE United Arab Emirates
AF AFG Afghanistan
AG ATG Antigua and Barbuda
AI AIA Anguilla
AL ALB Albania
AM ARM Armenia
AO AGO Angola
AR ARG Argentina
AS ASM American Samoa
AT AUT Austria
AU AUS Australia
AW ABW Aruba
AX ALA Åland Islands
AZ AZE Azerbaijan
BA BIH Bosnia and Herzegovina
BB BRB Barbados
BD BGD Bangladesh
BE BEL Belgium
BF BFA Burkina Faso
BG BGR Bulgaria
BH BHR Bahrain
BI BDI Burundi
BJ BEN Benin
BL BLM Saint Barthélemy
BM BMU Bermuda
BN BRN Brunei
BO BOL Bolivia
BQ BES Caribbean Netherlands
BR BRA Brazil
BS BHS Bahamas
BT BTN Bhutan
BW BWA Botswana
BY BLR Belarus
BZ BLZ Belize
CA CAN Canada
CC CCK Cocos (Keeling) Islands
CD COD Congo (Kinshasa)
CF CAF Central African Republic
CG COG Congo (Brazzaville)
CH CHE Switzerland
CI CIV Côte d’Ivoire
CK COK Cook Islands
CL CHL Chile
CM CMR Cameroon
CN CHN China
CO COL Colombia
CR CRI Costa Rica
CU CUB Cuba
CV CPV Cape Verde
CW CUW Curaçao
CX CXR Christmas Island
CY CYP Cyprus
CZ CZE Czechia
DE DEU Germany
DJ DJI Djibouti
DK DNK Denmark
DM DMA Dominica
DO DOM Dominican Republic
DZ DZA Algeria
EC ECU Ecuador
EE EST Estonia
EG EGY Egypt
EH ESH Western Sahara
ER ERI Eritrea
ES ESP Spain
ET ETH Ethiopia
FI FIN Finland
FJ FJI Fiji
FK FLK Falkland Islands
FM FSM Micronesia
FO FRO Faroe Islands
FR FRA France
GA GAB Gabon
GB GBR United Kingdom
GD GRD Grenada
GE GEO Georgia
GF GUF French Guiana
GG GGY Guernsey
GH GHA Ghana
GI GIB Gibraltar
GL GRL Greenland
GM GMB Gambia
GN GIN Guinea
GP GLP Guadeloupe
GQ GNQ Equatorial Guinea
GR GRC Greece
GT GTM Guatemala
GU GUM Guam
GW GNB Guinea-Bissau
GY GUY Guyana
HK HKG Hong Kong
HN HND Honduras
HR HRV Croatia
HT HTI Haiti
HU HUN Hungary
ID IDN Indonesia
IE IRL Ireland
IL ISR Israel
IM IMN Isle of Man
IN IND India
IO IOT British Indian Ocean Territory
IQ IRQ Iraq
IR IRN Iran
IS ISL Iceland
IT ITA Italy
JE JEY Jersey
JM JAM Jamaica
JO JOR Jordan
JP JPN Japan
KE KEN Kenya
KG KGZ Kyrgyzstan
KH KHM Cambodia
KI KIR Kiribati
KM COM Comoros
KN KNA Saint Kitts and Nevis
KP PRK North Korea
KR KOR South Korea
KW KWT Kuwait
KY CYM Cayman Islands
KZ KAZ Kazakhstan
LA LAO Laos
LB LBN Lebanon
LC LCA Saint Lucia
LI LIE Liechtenstein
LK LKA Sri Lanka
LR LBR Liberia
LS LSO Lesotho
LT LTU Lithuania
LU LUX Luxembourg
LV LVA Latvia
LY LBY Libya
MA MAR Morocco
MC MCO Monaco
MD MDA Moldova
ME MNE Montenegro
MF MAF Saint Martin
MG MDG Madagascar
MH MHL Marshall Islands
MK MKD North Macedonia
ML MLI Mali
MM MMR Myanmar
MN MNG Mongolia
MO MAC Macao
MP MNP Northern Mariana Islands
MQ MTQ Martinique
MR MRT Mauritania
MS MSR Montserrat
MT MLT Malta
MU MUS Mauritius
MV MDV Maldives
MW MWI Malawi
MX MEX Mexico
MY MYS Malaysia
MZ MOZ Mozambique
NA NAM Namibia
NC NCL New Caledonia
NE NER Niger
NF NFK Norfolk Island
NG NGA Nigeria
NI NIC Nicaragua
NL NLD Netherlands
NO NOR Norway
NP NPL Nepal
NR NRU Nauru
NU NIU Niue
NZ NZL New Zealand
OM OMN Oman
PA PAN Panama
PE PER Peru
PF PYF French Polynesia
PG PNG Papua New Guinea
PH PHL Philippines
PK PAK Pakistan
PL POL Poland
PM SPM Saint Pierre and Miquelon
PR PRI Puerto Rico
PS PSE Palestine
PT PRT Portugal
PW PLW Palau
PY PRY Paraguay
QA QAT Qatar
RE REU Réunion
RO ROU Romania
RS SRB Serbia
RU RUS Russia
RW RWA Rwanda
SA SAU Saudi Arabia
SB SLB Solomon Islands
SC SYC Seychelles
SD SDN Sudan
SE SWE Sweden
SG SGP Singapore
SH SHN Saint Helena
SI SVN Slovenia
SJ SJM Svalbard and Jan Mayen
SK SVK Slovakia
SL SLE Sierra Leone
SM SMR San Marino
SN SEN Senegal
SO SOM Somalia
SR SUR Suriname
SS SSD South Sudan
ST STP São Tomé and Príncipe
SV SLV El Salvador
SX SXM Sint Maarten
SY SYR Syria
SZ SWZ Eswatini
TA TAA Tristan da Cunha
TC TCA Turks and Caicos Islands
TD TCD Chad
TG TGO Togo
TH THA Thailand
TJ TJK Tajikistan
TK TKL Tokelau
TL TLS Timor-Leste
TM TKM Turkmenistan
TN TUN Tunisia
TO TON Tonga
TR TUR Türkiye
TT TTO Trinidad and Tobago
TV TUV Tuvalu
TW TWN Taiwan
TZ TZA Tanzania
UA UKR Ukraine
UG UGA Uganda
US USA United States
UY URY Uruguay
UZ UZB Uzbekistan
VA VAT Vatican City
VC VCT Saint Vincent and the Grenadines
VE VEN Venezuela
VG VGB British Virgin Islands
VI VIR U.S. Virgin Islands
VN VNM Vietnam
VU VUT Vanuatu
WF WLF Wallis and Futuna
WS WSM Samoa
XK XKX Kosovo
YE YEM Yemen
YT MYT Mayotte
ZA ZAF South Africa
ZM ZMB Zambia
ZW ZWE Zimbabwe
"""

_ROWS = [line.split(" ", 2) for line in _TABLE.strip().splitlines()]

REGIONS: dict[str, str] = {
    code: name for code, _, name in sorted(_ROWS, key=lambda row: unicodedata.normalize("NFD", row[2]))
}
"""ISO 3166 two-letter code -> English name, in the order of the names."""

ISO_3: dict[str, str] = {long: code for code, long, _ in _ROWS}
"""ISO 3166 three-letter code -> two-letter code."""

_SPELLINGS = """
AE UAE; Emirates; الإمارات; الإمارات العربية المتحدة; Emirates Arabes Unis; Emiratos Árabes Unidos; VAE
AF افغانستان; Afganistán
AL Shqipëria; Shqipëri
AM Հայաստան
AO República de Angola
AR Argentine; Argentinien; Argentine Republic
AT Österreich; Oesterreich; Autriche
AU Australien; Australie
AZ Azərbaycan
BA Bosnia; Bosnia Herzegovina; Bosna i Hercegovina
BD বাংলাদেশ; Bangla Desh
BE België; Belgique; Belgien
BG България
BH البحرين
BN Brunei Darussalam
BO Plurinational State of Bolivia
BR Brasil; República Federativa do Brasil; Brasilien; Brésil
BY Беларусь; Белоруссия; Belarus
CA Kanada
CD Democratic Republic of the Congo; Congo, Democratic Republic of the; DRC; DR Congo; RD Congo; Congo Kinshasa
CG Congo; Congo Brazzaville; Republic of the Congo
CH Schweiz; Suisse; Svizzera; Svizra; Suiza
CI Ivory Coast; Elfenbeinküste
CN 中国; 中國; 中华人民共和国; PRC; PR China; China Mainland; Mainland China; Zhongguo
CV Cabo Verde
CY Κύπρος; Kıbrıs; Kypros
CZ Czech Republic; Czech Rep; Česko; Česká republika; Tschechien
DE Deutschland; BRD; Allemagne; Alemania; Germania; Alemanha; Германия
DK Danmark; Dänemark
DO República Dominicana; Dominican Rep
DZ الجزائر; Algérie; Algerien
EE Eesti; Estland
EG مصر; Misr; Égypte; Ägypten; Arab Republic of Egypt
ES España; Spanien; Espagne; Espanha
ET ኢትዮጵያ; Äthiopien; Itiyopya
FI Suomi; Finnland
FK Malvinas; Islas Malvinas
FM Federated States of Micronesia
FR La France; Frankreich; Francia; França; République française; Франция
GB UK; Great Britain; Britain; England; Scotland; Wales; Northern Ireland
GB United Kingdom of Great Britain and Northern Ireland; Großbritannien; Vereinigtes Königreich; Royaume-Uni
GB Angleterre; Reino Unido; Великобритания
GE საქართველო; Georgien
GH Gold Coast
GR Ελλάδα; Ελλάς; Hellas; Griechenland; Hellenic Republic
HK 香港; Hong Kong SAR; Hong Kong SAR China; Hongkong
HR Hrvatska; Kroatien
HU Magyarország; Ungarn
ID Republik Indonesia; Indonesien
IE Éire; Irland; Republic of Ireland
IL ישראל; إسرائيل
IN Bharat; Hindustan; भारत; भारतम्; হিন্দুস্তান; ভারত; இந்தியா; భారతదేశం; ಭಾರತ; ഇന്ത്യ; ભારત; ਭਾਰਤ; بھارت; Indien
IN Inde; Индия
IQ العراق; Irak
IR ایران; Persia
IS Ísland
IT Italia; Italien; Italie; Италия
JO الأردن
JP 日本; 日本国; にほん; Nippon; Nihon; Japon; Япония
KE Jamhuri ya Kenya
KG Кыргызстан; Киргизия
KH កម្ពុជា; Kampuchea
KP Democratic People’s Republic of Korea; Korea, Democratic People’s Republic of; DPRK; 조선
KR Korea; Republic of Korea; Korea, Republic of; Korea South; ROK; S Korea; 대한민국; 한국; 韩国; Südkorea
KW الكويت
KZ Қазақстан; Казахстан
LA Lao; Lao People’s Democratic Republic; ລາວ
LB لبنان; Liban
LK ශ්‍රී ලංකාව; இலங்கை; Ceylon
LT Lietuva; Litauen
LU Luxemburg; Lëtzebuerg
LV Latvija; Lettland
LY ليبيا
MA المغرب; Maroc; Marokko; Marruecos; Al Maghrib
MD Republic of Moldova; Молдова
ME Crna Gora; Црна Гора
MK Macedonia; Северна Македонија; FYROM
MM Burma; မြန်မာ; Birmanie
MN Монгол; Монгол Улс
MO Macau; Macao SAR China; 澳門; 澳门
MX México; Mexiko; Mexique; Estados Unidos Mexicanos
MY Persekutuan Malaysia; 马来西亚
MZ Moçambique; Mosambik
NG Nigerian Federal Republic
NL Holland; Nederland; Niederlande; Pays-Bas; Países Bajos
NO Norge; Noreg; Norwegen
NP नेपाल
NZ Aotearoa
OM عمان; عُمان
PE Perú
PH Pilipinas; Philippinen; Filipinas
PK پاکستان; پاكستان; Islamic Republic of Pakistan
PL Polska; Polen; Pologne; Polonia
PS State of Palestine; فلسطين; Palestinian Territory; Palestinian Territories
PT República Portuguesa
QA قطر
RO România; Rumänien; Roumanie
RS Srbija; Србија; Serbien
RU Russian Federation; Россия; Российская Федерация; РФ; Russland; Russie; Rusia; Rossiya
SA السعودية; المملكة العربية السعودية; KSA; Saudi
SD السودان; Soudan
SE Sverige; Schweden
SG 新加坡; Singapura; சிங்கப்பூர்; Singapur
SI Slovenija
SK Slovensko; Slovak Republic; Slowakei
ST Sao Tome
SY Syrian Arab Republic; سوريا; سورية
SZ Swaziland
TH ไทย; ประเทศไทย; Siam
TL East Timor
TN تونس; Tunisie
TR Turkey; Türkei; Turquie; Turquía
TT Trinidad
TW 台灣; 台湾; 臺灣; Republic of China; Taiwan, Province of China; Chinese Taipei
TZ United Republic of Tanzania; Tanzania, United Republic of; Tanzanie
UA Україна; Украина; The Ukraine; Ukraina
UG Uganda Republic
US America; United States of America; États Unis d’Amérique; Estados Unidos; États-Unis; Vereinigte Staaten
US Vereinigte Staaten von Amerika; Stati Uniti; EUA; EE UU; США; 美国
UZ Oʻzbekiston; Oʻzbekiston Respublikasi; Узбекистан; Ўзбекистон
VA Vatican; Holy See
VE Bolivarian Republic of Venezuela
VG BVI
VI US Virgin Islands
VN Viet Nam; Việt Nam
YE اليمن; Jemen
ZA Suid-Afrika; RSA; Südafrika; Afrique du Sud
"""
"""Two-letter code and names that people write besides the everyday English one, `;` between them."""

NORTH_AMERICAN_AREAS: dict[str, str] = {
    area: region
    for region, areas in {
        "AG": "268", "AI": "264", "AS": "684", "BB": "246", "BM": "441", "BS": "242", "DM": "767", "DO": "809 829 849",
        "GD": "473", "GU": "671", "JM": "658 876", "KN": "869", "KY": "345", "LC": "758", "MP": "670", "MS": "664",
        "PR": "787 939", "SX": "721", "TC": "649", "TT": "868", "VC": "784", "VG": "284", "VI": "340",
    }.items()
    for area in areas.split()
}  # fmt: skip
"""The area codes after +1 that are countries of their own: people write +1 242 as the dial code of the Bahamas."""

_FORM = r"(?:\w+ ){0,3}?(?:republic|kingdom|commonwealth|sultanate|principality|federation|states) of(?: the)?"
_STATE_FORM = re.compile(rf"^(?:the )?{_FORM} | {_FORM}$")
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


def country_named(text: str) -> str | None:
    """The two-letter code of a country written as code, three-letter code, name or flag; None when it is none.

    Case, accents, dots, hyphens, "the" and "Republic of" make no difference.
    """
    if flag := _FLAG.fullmatch(text.strip()):
        text = "".join(chr(ord(char) - 0x1F1E6 + ord("A")) for char in flag[0])
    key = _key(text)
    if found := _BY_KEY.get(key):
        return found
    return _BY_KEY.get(_STATE_FORM.sub("", key).removeprefix("the "))


def _key(text: str) -> str:
    """A name as it is compared: folded, without marks on its letters, with single spaces and nothing else between."""
    folded = unicodedata.normalize("NFKD", text.casefold().replace(".", "").replace("&", " and "))
    letters = "".join(char for char in folded if not unicodedata.combining(char) and char not in "'’ʻ`")
    words = _NO_LETTERS.sub(" ", letters).split()
    if len(words) > 1 and all(len(word) == 1 for word in words):
        return "".join(words)
    if words[:1] == ["st"] and len(words) > 1:
        words[0] = "saint"
    return " ".join(words)


_NO_LETTERS = re.compile(r"[\s,()\-–/]+")
_BY_KEY: dict[str, str] = {
    **{_key(name): line[:2] for line in _SPELLINGS.strip().splitlines() for name in line[3:].split(";")},
    **{_key(name): code for code, name in REGIONS.items()},
    **{long.casefold(): code for long, code in ISO_3.items()},
    **{code.casefold(): code for code in REGIONS},
}
