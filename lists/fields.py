"""The fields of a contact, said once: everything that lists them is derived from here, or held to it by a test.

A new field is a line here, a column of `Contact` and `ImportRow` with its migration, and what is truly its own: the
reader of its kind in `importing.cleaning`, and what a vendor calls it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What the values of a field are, and so how a cell of a file becomes one."""

    PHONE = "phone"
    NAME = "name"
    FULL_NAME = "full name"
    TEXT = "text"
    EMAIL = "email"
    TIME_ZONE = "time zone"
    COUNTRY = "country"
    OPT_OUT = "opt-out"
    DATE = "date"


@dataclass(frozen=True)
class Field:
    """A field a file may fill.

    longest  in characters
    example  what the template shows
    stored   whether a contact has it; the others only help to read a file
    aliases  headers seen in files, in several languages
    """

    name: str
    label: str
    longest: int
    kind: Kind
    aliases: tuple[str, ...] = ()
    example: str = ""
    stored: bool = True

    @property
    def words(self) -> str:
        """The label as it stands inside a sentence."""
        return self.label[:1].lower() + self.label[1:]


def headers(text: str) -> tuple[str, ...]:
    """Headers out of a text that separates them by commas."""
    return tuple(" ".join(header.split()) for header in text.split(","))


FIELDS: tuple[Field, ...] = (
    Field(
        "phone", "Phone number", 100, Kind.PHONE, example="+12025550123",
        aliases=headers("""
        phone number, phone no, phone num, phonenumber, mobile, mobile number, mobile no, mobile phone, mob, mob no,
        cell, cell phone, cellphone, cell number, telephone, telephone number, tel, tel no, contact no,
        contact number, contact phone, msisdn, e164, number, whatsapp, whatsapp number, whatsapp no, primary phone,
        caller number, dial number, handy, handynummer, handynr, mobilnummer, mobil, telefon, telefonnummer,
        rufnummer, teléfono, telefono, número de teléfono, móvil, movil, celular, telefone, telemóvel, número,
        téléphone, numéro, numéro de téléphone, portable, mobiel, telefoonnummer, cellulare, komórka,
        registered mobile, registered mobile no, registered mobile number, contact details, contact detail,
        contact mobile, whatsapp mobile, phone mobile, телефон, номер телефона, мобильный, 电话, 手机, 手机号, 電話番号,
        携帯, 전화번호, फ़ोन, मोबाइल, هاتف, رقم الهاتف, جوال, no hp, nomor hp, hp, telepon,
        no telepon, nomor telepon, no telp, nomor ponsel, no telefon, cep telefonu, telefon numarası, numer telefonu,
        điện thoại, số điện thoại
        """),
    ),
    Field(
        "first_name", "First name", 100, Kind.NAME, example="Asha",
        aliases=headers("""
        firstname, first, fn, given name, givenname, given names, forename, fname, f name, vorname, rufname,
        other names, nombre, nombres, primer nombre, prénom, prenom, nome, primeiro nome, voornaam, imię, имя,
        名, 名字, 이름
        """),
    ),
    Field(
        "last_name", "Last name", 100, Kind.NAME, example="Rao",
        aliases=headers("""
        lastname, last, ln, surname, family name, familyname, second name, lname, l name, nachname, familienname,
        zuname, apellido, apellidos, nom, nom de famille, cognome, sobrenome, apelido, achternaam, nazwisko, фамилия,
        姓, 성
        """),
    ),
    Field(
        "full_name", "Full name (split at the first space)", 200, Kind.FULL_NAME, stored=False,
        aliases=headers("""
        fullname, name, contact name, customer name, cust name, customer, client name, person, display name,
        name of customer, policy holder, policyholder, insured, insured name, vollständiger name, nombre completo,
        nom complet, nome completo, nama, nama lengkap, naam, ad soyad,
        imię i nazwisko, họ tên, họ và tên, фио, 姓名, 氏名, नाम, الاسم
        """),
    ),
    Field(
        "salutation", "Salutation", 20, Kind.TEXT, example="Mrs",
        aliases=headers("""
        title, prefix, name prefix, honorific, anrede, titel, tratamiento, civilité, civilite, titolo, aanhef,
        обращение, 称呼
        """),
    ),
    Field(
        "email", "E-mail", 254, Kind.EMAIL, example="asha@example.com",
        aliases=headers("""
        e mail, mail, email address, e mail address, emailaddress, email id, mail id, mailadresse, e mail adresse,
        correo, correo electrónico, courriel, adresse e mail, posta elettronica, 邮箱, почта, メール, 이메일,
        البريد الإلكتروني
        """),
    ),
    Field(
        "company", "Company", 200, Kind.TEXT, example="Blue Heron Travel",
        aliases=headers("""
        organisation, organization, org, organisation name, organization name, company name, business, business name,
        employer, account, account name, firma, unternehmen, firmenname, empresa, société, societe, entreprise,
        azienda, bedrijf, компания, организация, 公司, 会社
        """),
    ),
    Field(
        "tag", "Tag", 100, Kind.TEXT, example="renewal",
        aliases=headers("""
        tags, label, labels, segment, group, category, campaign, etikett, etiqueta, étiquette, gruppe, grupo, groupe,
        метка, 标签
        """),
    ),
    Field(
        "time_zone", "Time zone", 64, Kind.TIME_ZONE, example="America/New_York",
        aliases=headers("""
        timezone, tz, zeitzone, zona horaria, fuseau horaire, fuso orario, часовой пояс, 时区
        """),
    ),
    Field(
        "country", "Country of the phone number", 100, Kind.COUNTRY, stored=False,
        aliases=headers("""
        country code, country name, countrycode, country iso, country iso code, iso country code, nation, iso, iso2,
        iso code, dial code, dialing code, dialling code, calling code, country calling code, country dial code, isd,
        isd code, land, ländercode, länderkennung, ländervorwahl, país, pais, código de país, pays, indicatif, paese,
        país ddi, ddi, देश, страна, 国家, 国
        """),
    ),
    Field(
        "do_not_contact", "Do not contact", 100, Kind.OPT_OUT, stored=False,
        aliases=headers("""
        do not call, do not disturb, do not text, do not sms, donotcall, dont call, dont contact, dnd, dnc, ndnc,
        opt out, opted out, optout, opt outs, unsubscribe, unsubscribed, blacklist, blacklisted, blocklist,
        blocklisted, suppressed, call opt out, sms opt out, nicht anrufen, nicht kontaktieren, kontaktsperre,
        anrufsperre, werbesperre, werbewiderspruch, abgemeldet, no llamar, no contactar, lista negra, dado de baja,
        ne pas appeler, ne pas contacter, opposition, désabonné, désinscrit, liste rouge, não ligar, não contatar,
        não perturbe, descadastrado, bloqueado, कॉल न करें, संपर्क न करें, डीएनडी
        """),
    ),
)  # fmt: skip
"""What a file of contacts may hold."""

_BY_CONTACT_FIELD = {known.name: known for known in FIELDS}
SUPPRESSION_FIELDS: tuple[Field, ...] = (
    _BY_CONTACT_FIELD["phone"],
    _BY_CONTACT_FIELD["country"],
    Field(
        "reason", "Reason", 200, Kind.TEXT, stored=False,
        aliases=headers("""
        reasons, why, cause, note, notes, remark, remarks, comment, comments, grund, motivo, raison, कारण
        """),
    ),
    Field(
        "since", "Since", 100, Kind.DATE, stored=False,
        aliases=headers("""
        date, on, added, added on, date added, opt out date, opted out on, opted out at, unsubscribed on,
        unsubscribed at, unsubscribe time, dnd date, request date, date of request, requested on, datum, seit, fecha,
        desde, depuis, data, दिनांक
        """),
    ),
)  # fmt: skip
"""What a file of do-not-contact numbers may hold."""

BY_NAME: dict[str, Field] = {known.name: known for known in (*FIELDS, *SUPPRESSION_FIELDS)}

OF_CONTACT: tuple[str, ...] = tuple(known.name for known in FIELDS if known.stored)
"""What a contact has, the number first, in the order of every table and file."""
TEXTS: tuple[str, ...] = OF_CONTACT[1:]
"""The text fields of a contact besides its number."""

OTHER_NUMBERS = "Other numbers"
"""The extra attribute that keeps the further numbers of a contact: E.164 each, with a comma and a space between."""
