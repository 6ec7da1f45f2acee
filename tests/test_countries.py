"""A country, however people write it in a country column."""

import re

import phonenumbers
import pytest

from lists.countries import NORTH_AMERICAN_AREAS, REGIONS
from lists.phones import region_of

WRITTEN = """
IN  IN | in | IND | India | india. | INDIA | Republic of India | The Republic of India | Bharat | Hindustan | भारत
IN  ভারত | இந்தியா | భారతదేశం | بھارت | 🇮🇳 | 91 | 91.0 | +91 | '+91 | 0091 | (+91) | =91 | ＋91 | India (+91) | +91 India
IN  IN (91) | India +91 | India-91 | +91-India | 91 - India | IND +91 | 🇮🇳 +91 | India (IN) | IN - India
US  US | USA | U.S. | U.S.A. | U S A | America | United States
US  United States of America | the United States | Estados Unidos
US  États-Unis | Vereinigte Staaten | США | 美国 | 1 | +1 | 001 | US +1 | +1 (USA) | United States (US)
GB  UK | U.K. | GB | GBR | Great Britain | England | Scotland | Wales | Northern Ireland | 44 | +44
GB  +44 (0) | England, UK
AE  UAE | U.A.E. | AE | ARE | United Arab Emirates | The United Arab Emirates | Emirates | الإمارات | 971 | +971
DE  Deutschland | Germany | DEU | Federal Republic of Germany | Allemagne | Alemania | 0049 | Germany (Deutschland)
ES  España | Espana | ESPAÑA | Spain | Kingdom of Spain | Spanien
RU  Russia | Россия | Российская Федерация | Russian Federation | 7 | +7
CN  中国 | 中國 | China | PRC | People's Republic of China
JP  日本 | Nippon | Japan
BR  Brasil | Brazil | República Federativa do Brasil | Federative Republic of Brazil
NL  Holland | the Netherlands | Nederland | Kingdom of the Netherlands
CI  Ivory Coast | Côte d'Ivoire | Cote d’Ivoire | COTE DIVOIRE
CZ  Czech Republic | Czechia | Česko | Česká republika
KR  South Korea | Korea | Republic of Korea | Korea, Republic of | 대한민국 | 한국
KP  North Korea | DPRK | Democratic People's Republic of Korea | Korea, Democratic People's Republic of
CD  Democratic Republic of the Congo | Congo, Democratic Republic of the | DRC | Congo (Kinshasa) | Congo - Kinshasa
CG  Congo | Republic of the Congo | Congo (Brazzaville)
TW  Taiwan | Republic of China | 台灣
IR  Iran | Islamic Republic of Iran | Iran, Islamic Republic of | Iran (Islamic Republic of) | ایران
VE  Venezuela, Bolivarian Republic of | Bolivarian Republic of Venezuela
TZ  Tanzania | United Republic of Tanzania | Tanzania, United Republic of
BS  +1 242 | +1-242 | 1242 | Bahamas | The Bahamas | Bahamas (+1-242)
DO  +1 809 | +1 829 | Dominican Republic | República Dominicana
TR  Turkey | Türkiye | TURKIYE
LC  St. Lucia | Saint Lucia
GW  Guinea-Bissau | Guinea Bissau
TT  Trinidad & Tobago | Trinidad and Tobago
MM  Myanmar (Burma) | Burma
HK  Hong Kong SAR China | 香港
SA  KSA | Kingdom of Saudi Arabia | السعودية
AT  Österreich | Oesterreich
ID  Indonesia | Republik Indonesia
PK  پاکستان | Pakistan
NG  Nigeria | Federal Republic of Nigeria
BD  বাংলাদেশ
MX  México | Mexico
ET  ኢትዮጵያ
EG  مصر
VN  Việt Nam | Viet Nam | Vietnam
TH  ไทย
FR  France | La France | République française
IT  Italia
UA  Україна | The Ukraine
PL  Polska
GR  Ελλάδα
NA  NA
MP  MP
"""


def written():
    for line in WRITTEN.strip().splitlines():
        region, names = line.split("  ", 1)
        for name in names.split(" | "):
            yield name, region


@pytest.mark.parametrize(("name", "region"), list(written()))
def test_a_country_is_known_however_it_is_written(name, region):
    assert region_of(name) == region


@pytest.mark.parametrize(
    "word",
    [
        "", " ", "+", "-", "North", "South", "East", "West Zone", "Europe", "EU", "Kolkata", "Karnataka",
        "Karnataka, India", "Yes", "Gujarati", "XX", "999", "+999", "UK / India", "India (+44)", "India 2026",
        "9800000001", "+91 9800000001", "2025550123", "9" * 200,
    ],
)  # fmt: skip
def test_what_is_no_country_or_contradicts_itself_is_none(word):
    assert region_of(word) is None


@pytest.mark.parametrize("region", list(REGIONS))
def test_every_country_is_known_by_its_own_name_and_codes(region):
    assert region_of(REGIONS[region]) == region
    assert region_of(REGIONS[region].upper()) == region
    assert region_of(f"{REGIONS[region]} (+{phonenumbers.country_code_for_region(region)})") == region
    assert region_of(region) == region


def test_the_area_codes_of_small_countries_after_plus_one_are_those_of_the_library():
    for area, region in NORTH_AMERICAN_AREAS.items():
        assert re.match(phonenumbers.PhoneMetadata.metadata_for_region(region).leading_digits, area), area
