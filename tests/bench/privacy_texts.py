"""Texts with labelled values, texts without any, and ways to hide a value: seeded, made up.

The recognizers were tuned on seed `TUNED`; what is reported comes from seed `HELD_OUT`, whose texts nobody
looked at. Values are from Faker, numbering plans (phonenumbers) and python-stdnum, templates our own and, when
`presidio_evaluator` can be imported, those of its data generator.
"""

from __future__ import annotations

import base64
import hashlib
import html
import importlib
import importlib.util
import json
import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import phonenumbers
from faker import Faker
from stdnum.iban import is_valid as is_iban

TUNED = 20261
HELD_OUT = 31337
LOCALES = ("en_US", "en_GB", "en_IN", "en_CA", "en_AU", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "pl_PL", "pt_BR",
           "sv_SE", "da_DK")  # fmt: skip
ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"


@dataclass(frozen=True)
class Labelled:
    """A text whose characters `start` to `end` are a value of `entity`, in the row `kind` of the report.

    `region` is where its telephone numbers are from."""

    kind: str
    entity: str
    text: str
    start: int
    end: int
    region: str = "US"


NEUTRAL = (
    "{}", "Please update the record: {}.", "({})", "from {} to the other one", "old: {}, new: unknown",
    "The customer wrote \"{}\" in the form.", "| 17 | {} | open |", "[\"value\", \"{}\"]", "ref\t{}\tdone",
    "Hello,\n{}\nregards", "see <b>{}</b>", "It says {}; is that right?", "field={}&next=1", "- {}\n- none",
    "I gave {} last week.", "użytkownik podał {} wczoraj", "Der Kunde nannte {} am Montag", "le client a donné {} hier",
)  # fmt: skip
PHONE = (
    "Call me at {}.", "phone: {}", "Tel. {}", "my number is {}", "Telefon {}", "You can reach her on {} after five",
    "mobile {}", "fax: {}", "téléphone : {}", "home_phone = \"{}\"", "text me, {} works", "{} is my cell",
    "WhatsApp {} please", "Handy: {}", "móvil {}", "celular {}", "please ring back on {}",
)  # fmt: skip
BORN = ("DOB: {}", "date of birth {}", "She was born on {} in Leeds.", "geboren am {}", "né le {}", "fecha de nacimiento: {}",
        "birthday {}", "nato il {}", "data urodzenia: {}")  # fmt: skip
LIVES = ("I live at {}.", "Ship it to\n{}\nplease.", "address: {}", "My new address is {} since May.", "from {} we moved on",
         "the parcel went to {}, not here")  # fmt: skip
NAMED = ("Dear {},\nthank you.", "My name is {}.", "Mr. {} called twice.", "Regards,\n{}", "Hello {}, how are you?",
         "customer name: {}", "ich heiße {}", "je m'appelle {}", "me llamo {}", "Dr {} will see you now")  # fmt: skip
RUNNING = ("I spoke with {} about it.", "{} wants to cancel the order.", "The account belongs to {}.",
           "Can {} join the call?", "we met {} in town", "{} and her sister came by.")  # fmt: skip
LABELS = {
    "at_svnr": ("SVNR", "Sozialversicherungsnummer"), "au_abn": ("ABN", "my ABN is"), "au_acn": ("ACN",),
    "au_tfn": ("TFN", "tax file number"), "be_national_number": ("rijksregisternummer", "numéro national"),
    "bg_egn": ("ЕГН", "EGN"), "br_cnpj": ("CNPJ", "cnpj nº"), "br_cpf": ("CPF", "meu cpf é"),
    "ca_sin": ("SIN", "social insurance number"), "ch_ahv": ("AHV-Nr.", "AVS"), "cz_birth_number": ("rodné číslo",),
    "de_tax_id": ("Steuer-ID", "IdNr."), "ee_isikukood": ("isikukood",), "es_nie": ("NIE",), "es_nif": ("DNI", "NIF"),
    "fi_personal_identity_code": ("henkilötunnus", "hetu"), "fr_nir": ("NIR", "numéro de sécurité sociale"),
    "gr_amka": ("ΑΜΚΑ", "AMKA"), "hr_oib": ("OIB",), "ie_pps": ("PPSN", "PPS number"), "in_aadhaar": ("Aadhaar", "aadhar no"),
    "it_fiscal_code": ("codice fiscale",), "lv_personas_kods": ("personas kods",), "nl_bsn": ("BSN", "burgerservicenummer"),
    "no_fodselsnummer": ("fødselsnummer",), "pl_pesel": ("PESEL",), "pt_nif": ("NIF", "contribuinte"), "ro_cnp": ("CNP",),
    "se_personnummer": ("personnummer",), "si_emso": ("EMŠO",), "uk_nhs": ("NHS number", "NHS no."),
}  # fmt: skip
_SLOT = re.compile(r"\{\{(\w+)\}\}")


class Texts:
    """All of it from one seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        Faker.seed(seed)
        self.fakers = {locale: Faker(locale) for locale in LOCALES}
        for number, faker in enumerate(self.fakers.values()):
            faker.seed_instance(seed + number)
        self.english = self.fakers["en_US"]

    def letters(self, alphabet: str, size: int) -> str:
        return "".join(self.chance.choice(alphabet) for _ in range(size))

    def n(self, low: int, high: int) -> int:
        return self.chance.randint(low, high)

    def faker(self) -> Faker:
        return self.fakers[self.chance.choice(LOCALES)]

    # --- values ------------------------------------------------------------------------------

    def email(self) -> str:
        return self.faker().email()

    def card(self) -> str:
        brand = self.chance.choice(
            ("visa16", "visa16", "mastercard", "mastercard", "amex", "discover")
        )
        digits = self.english.credit_card_number(brand)
        style = self.chance.randrange(3)
        if style == 0:
            return digits
        sizes = (4, 6, 5) if len(digits) == 15 else (4, 4, 4, 4)
        groups, at = [], 0
        for size in sizes:
            groups.append(digits[at : at + size])
            at += size
        return (" " if style == 1 else "-").join(groups)

    def iban(self) -> str:
        value = ""
        while not is_iban(value):  # Faker makes some with a wrong length
            value = self.faker().iban()
        grouped = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
        return value if self.chance.random() < 0.5 else grouped

    def ssn(self) -> str:
        return self.english.ssn()

    def ip(self) -> str:
        make = (self.english.ipv4_public, self.english.ipv4_private, self.english.ipv6)
        return self.chance.choice(make)()

    def secret(self) -> str:
        letters = self.letters

        def jwt() -> str:
            def part(value: object) -> str:
                return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

            head = part({"alg": "HS256", "typ": "JWT"})
            return f"{head}.{part({'sub': letters(ALNUM, 9)})}.{letters(ALNUM, 43)}"

        kinds: list[Callable[[], str]] = [
            lambda: "ghp_" + letters(ALNUM, 36),
            lambda: "github_pat_" + letters(ALNUM, 22) + "_" + letters(ALNUM, 59),
            lambda: "sk_live_" + letters(ALNUM, 24),
            lambda: "sk-" + letters(ALNUM, 48),
            lambda: "sk-proj-" + letters(ALNUM, 64),
            lambda: "sk-ant-api03-" + letters(ALNUM, 86) + "AA",
            lambda: "AKIA" + letters(string.ascii_uppercase + "234567", 16),
            lambda: "ASIA" + letters(string.ascii_uppercase + "234567", 16),
            lambda: f"xoxb-{letters(string.digits, 12)}-{letters(string.digits, 12)}-{letters(ALNUM, 24)}",
            lambda: "glpat-" + letters(ALNUM, 20),
            lambda: "npm_" + letters(ALNUM, 36),
            lambda: "hf_" + letters(string.ascii_letters, 34),
            lambda: "AIza" + letters(ALNUM, 35),
            jwt,
            lambda: "-----BEGIN PRIVATE KEY-----\n" + letters(ALNUM, 64) + "\n" + letters(ALNUM, 40)
            + "\n-----END PRIVATE KEY-----",
        ]  # fmt: skip
        return self.chance.choice(kinds)()

    def assigned(self) -> tuple[str, str]:
        """(text with `{}`, secret): keys and passwords that only their context gives away."""
        letters = self.letters
        password = self.english.password(length=self.n(10, 20), special_chars=False)
        return self.chance.choice(
            [
                ("Authorization: Bearer {}", letters(ALNUM, 32)),
                ("postgres://app:{}@db.example.com/x", letters(ALNUM, 14)),
                ('password = "{}"', password),
                ("my password is {}", password),
                ("api_key={}", letters(HEX, 32)),
                ("client_secret: {}", letters(ALNUM, 32)),
            ]
        )

    def phone(self, region: str, style: int) -> str:
        """A number that the region's numbering plan knows, written in one of the usual ways."""
        kind = self.chance.choice(
            (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
        )
        example = phonenumbers.example_number_for_type(region, kind)
        while True:
            digits = str(example.national_number)
            keep = self.n(2, 4)
            tail = self.letters(string.digits, len(digits) - keep)
            made = phonenumbers.PhoneNumber(
                country_code=example.country_code,
                national_number=int(digits[:keep] + tail),
                italian_leading_zero=example.italian_leading_zero,
            )
            if phonenumbers.is_valid_number_for_region(made, region):
                return phonenumbers.format_number(made, style)

    def bitcoin(self) -> str:
        raw = b"\0" + self.chance.randbytes(20)
        raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
        number, out = int.from_bytes(raw, "big"), ""
        while number:
            number, rest = divmod(number, 58)
            out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + out
        return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + out

    def wallet(self) -> str:
        return self.bitcoin() if self.chance.random() < 0.6 else "0x" + self.letters(HEX, 40)

    def mac(self) -> str:
        value = self.english.mac_address()
        return self.chance.choice((value, value.upper(), value.replace(":", "-")))

    def born(self) -> str:
        date = self.english.date_of_birth(minimum_age=18)
        return date.strftime(
            self.chance.choice(
                ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%B %d, %Y", "%d %B %Y")
            )
        )

    def paper(self) -> tuple[str, str, str]:
        """(text with `{}`, entity, number) of a document."""
        letters, digits = self.letters, string.digits
        upper = string.ascii_uppercase
        return self.chance.choice(
            [
                ("passport number {}", "US_PASSPORT", letters(digits, 9)),
                ("US passport: {}", "US_PASSPORT", letters(upper, 1) + letters(digits, 8)),
                ("Reisepass Nr. {}", "PASSPORT", "C" + letters("0123456789CFGHJKL", 6) + letters(digits, 2)),
                ("my driver's license is {}", "US_DRIVER_LICENSE", letters(upper, 1) + letters(digits, 7)),
                ("MRN: {}", "MEDICAL_RECORD_NUMBER", letters(digits, 8)),
                ("patient ID {}", "MEDICAL_RECORD_NUMBER", "PT" + letters(digits, 6)),
                ("bank account {}", "US_BANK_NUMBER", letters(digits, 10)),
            ]
        )  # fmt: skip

    def national(self, name: str) -> str:
        from tests.recognizers.test_identifiers import NUMBERS, written

        library, _, form = NUMBERS[name]
        module = importlib.import_module(f"stdnum.{library}")
        while True:
            number = written(form, self.chance)
            if module.is_valid(number):
                return number

    # --- texts -------------------------------------------------------------------------------

    def put(
        self, kind: str, entity: str, value: str, templates: tuple[str, ...], region: str = "US"
    ) -> Labelled:
        before, _, after = self.chance.choice(templates).partition("{}")
        text = before + value + after
        return Labelled(kind, entity, text, len(before), len(before) + len(value), region)

    def labelled(self) -> Iterator[Labelled]:
        """Every text with the value in it."""
        plain: dict[str, Callable[[], str]] = {
            "EMAIL_ADDRESS": self.email, "CREDIT_CARD": self.card, "IBAN_CODE": self.iban, "US_SSN": self.ssn,
            "IP_ADDRESS": self.ip, "SECRET": self.secret,
        }  # fmt: skip
        for entity, make in plain.items():
            for _ in range(400):
                yield self.put(entity, entity, make(), NEUTRAL)
        for _ in range(200):
            template, value = self.assigned()
            yield self.put("SECRET, by its context", "SECRET", value, (template,))
        yield from self.phones()
        for entity, make, count in (("MAC_ADDRESS", self.mac, 100), ("CRYPTO", self.wallet, 100)):
            for _ in range(count):
                yield self.put(entity, entity, make(), NEUTRAL)
        yield from self.numbers()
        for _ in range(200):
            yield self.put("DATE_OF_BIRTH", "DATE_OF_BIRTH", self.born(), BORN)
        for _ in range(200):
            template, entity, value = self.paper()
            yield self.put("papers and records", entity, value, (template,))
        yield from self.people()
        yield from self.evaluator()

    def numbers(self) -> Iterator[Labelled]:
        """National numbers beside a word for them."""
        for name, labels in LABELS.items():
            for _ in range(10):
                templates = (*(f"{label} {{}}" for label in labels), f"{labels[0]}: {{}}.")
                yield self.put("national numbers", name.upper(), self.national(name), templates)

    def people(self) -> Iterator[Labelled]:
        """Addresses as Faker makes them in each locale, and names."""
        for locale in LOCALES:
            for _ in range(20):
                address = self.fakers[locale].address()
                yield self.put("LOCATION: street addresses", "LOCATION", address, LIVES)
        for kind, templates in (("PERSON, told by the words around", NAMED), ("PERSON in running text", RUNNING)):  # fmt: skip
            for _ in range(200):
                faker = self.faker()
                name = f"{faker.first_name()} {faker.last_name()}"
                yield self.put(kind, "PERSON", name, templates)

    def phones(self) -> Iterator[Labelled]:
        """Half beside a word; those alone in international form, in the national form of the
        configured region, of another region, and as bare digits."""
        formats = phonenumbers.PhoneNumberFormat
        for number in range(800):
            locale = self.chance.choice(LOCALES)
            region = locale[-2:]
            if number % 2:
                style = self.chance.choice((formats.INTERNATIONAL, formats.NATIONAL, formats.E164))
                value = (
                    self.fakers[locale].phone_number()
                    if self.chance.random() < 0.5
                    else self.phone(region, style)
                )
                yield self.put("PHONE_NUMBER, beside a word", "PHONE_NUMBER", value, PHONE)
            elif number % 4:
                style = self.chance.choice((formats.INTERNATIONAL, formats.E164))
                value = self.phone(region, style)
                yield self.put("PHONE_NUMBER, alone, international", "PHONE_NUMBER", value, NEUTRAL)
            else:
                value = self.phone(region, formats.NATIONAL)
                if value.isdigit() or self.chance.random() < 0.2:
                    value = re.sub(r"\D", "", value)
                    kind, at = "PHONE_NUMBER, alone, digits in a row", region
                else:
                    home = self.chance.random() < 0.67
                    at = region if home else "US"
                    kind = f"PHONE_NUMBER, alone, national{'' if home or region == 'US' else ', abroad'}"
                yield self.put(kind, "PHONE_NUMBER", value, NEUTRAL, at)

    def evaluator(self) -> Iterator[Labelled]:
        """The templates of presidio-evaluator (MIT), filled once each in several locales."""
        spec = importlib.util.find_spec("presidio_evaluator")
        if spec is None or not spec.submodule_search_locations:
            return
        file = Path(spec.submodule_search_locations[0]) / "data_generator/raw_data/templates.txt"
        for template in file.read_text(encoding="utf-8", errors="replace").splitlines():
            for _ in range(3):
                yield from self._filled(template.replace("\\n", "\n"))

    def _filled(self, template: str) -> Iterator[Labelled]:
        faker = self.english
        values: dict[str, tuple[str, Callable[[], object]]] = {
            "credit_card_number": ("CREDIT_CARD", self.card), "iban": ("IBAN_CODE", self.iban),
            "email": ("EMAIL_ADDRESS", self.email), "ssn": ("US_SSN", self.ssn), "ip_address": ("IP_ADDRESS", self.ip),
            "phone_number": ("PHONE_NUMBER", faker.phone_number), "address": ("LOCATION", faker.address),
            "person": ("PERSON", faker.name), "name": ("PERSON", faker.name), "name_male": ("PERSON", faker.name_male),
            "name_female": ("PERSON", faker.name_female), "date_of_birth": ("DATE_OF_BIRTH", faker.date),
        }  # fmt: skip
        text, labels = "", []
        done = 0
        for slot in _SLOT.finditer(template):
            text += template[done : slot.start()]
            entity, make = values.get(slot[1], ("", getattr(faker, slot[1], faker.word)))
            value = str(make())
            if entity:
                labels.append((entity, len(text), len(text) + len(value)))
            text += value
            done = slot.end()
        text += template[done:]
        for entity, start, end in labels:
            yield Labelled(f"presidio-evaluator: {entity}", entity, text, start, end)

    # --- nothing to find ---------------------------------------------------------------------

    def negatives(self) -> dict[str, Callable[[], str]]:
        """Class → a maker of texts in which nothing is personal."""
        n, letters, chance = self.n, self.letters, self.chance
        english = self.english

        def stamp() -> datetime:
            return datetime.fromtimestamp(n(0, 2 * 10**9), UTC)

        return {
            "epoch seconds": lambda: f"at {n(1_500_000_000, 1_900_000_000)}",
            "epoch milliseconds": lambda: f"ts={n(1_500_000_000_000, 1_900_000_000_000)}",
            "UUID": lambda: f"id {uuid.UUID(int=chance.getrandbits(128), version=4)}",
            "UUID without dashes": lambda: f"trace {uuid.UUID(int=chance.getrandbits(128), version=4).hex}",
            "hex digest": lambda: f"sha256:{letters(HEX, 64)} md5 {letters(HEX, 32)}",
            "commit": lambda: f"fixed in {letters(HEX, 40)} and {letters(HEX, 7)}",
            "order number": lambda: f"order {n(10**8, 10**10)} was sent",
            "order with dashes": lambda: f"order {n(100, 999)}-{n(10**6, 10**7 - 1)}-{n(10**6, 10**7 - 1)}",
            "product number": lambda: f"SKU {letters(string.ascii_uppercase, 3)}-{n(1000, 99999)}-{letters(ALNUM, 2)}, part {n(10, 99)}-{n(1000, 9999)}",
            "invoice": lambda: f"invoice INV-{n(2019, 2026)}-{n(1, 99999):05d}",
            "version": lambda: f"upgrade to v{n(0, 20)}.{n(0, 30)}.{n(0, 30)}, build {n(1, 99)}.{n(0, 9)}.{n(1000, 30000)}.{n(0, 9)}",
            "price": lambda: f"$ {n(1, 9999):,}.{n(0, 99):02d} or {n(1, 999)}.{n(100, 999)},{n(0, 99):02d} EUR",
            "large number": lambda: f"{n(10**6, 10**12):,} rows, {n(10**6, 10**9)} bytes",
            "spaced thousands": lambda: f"{n(10**6, 10**10):,} zł".replace(",", " "),
            "decimal": lambda: f"loss {chance.random():.16f}, weight {chance.uniform(-9, 9):.12f}",
            "one decimal": lambda: f"the loss is {chance.random()!r} now",
            "coordinates": lambda: f"{chance.uniform(-90, 90):.6f}, {chance.uniform(-180, 180):.6f}",
            "ISO date and time": lambda: stamp().isoformat(),
            "compact date and time": lambda: stamp().strftime(chance.choice(("%Y%m%d-%H%M%S", "%Y%m%d%H%M%S", "%Y%m%d_%H%M", "%y%m%d-%H%M"))),
            "date": lambda: stamp().strftime(chance.choice(("%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y/%m/%d"))),
            "clock times": lambda: f"from {n(0, 23):02d}:{n(0, 59):02d}:{n(0, 59):02d} to {n(0, 23):02d}:{n(0, 59):02d}",
            "ISBN": lambda: f"ISBN {english.isbn13()} or {english.isbn10()}",
            "EAN": lambda: f"article {english.ean13()}",
            "DOI and arXiv": lambda: f"doi:10.{n(1000, 9999)}/{letters(HEX, 8)}.{n(2000, 2026)}, arXiv:{n(10, 26)}{n(1, 12):02d}.{n(10000, 99999)}",
            "range": lambda: f"pages {n(10, 99)}-{n(100, 999)}, levels {n(1, 9)}0-{n(1, 9)}0-{n(1, 9)}0, {n(1990, 2020)}-{n(2021, 2030)}",
            "number list": lambda: " ".join(str(n(0, 9999)) for _ in range(12)),
            "token ids": lambda: str([n(0, 50256) for _ in range(12)]),
            "shapes": lambda: f"tensor {n(1, 64)}x{n(1, 1024)}x{n(1, 1024)}, kernel ({n(1, 9)}, {n(1, 9)}), {n(1, 100)}-{n(1, 100)} win",
            "table row": lambda: f"{n(1, 999)}\t{n(1000, 9999)}\t{chance.random():.3f}\t{n(10, 99)}",
            "code": lambda: f"for i in range({n(1, 9999)}): a[::{n(1, 9)}] += {n(1, 99)} # @decorator x@y",
            "log line": lambda: f"[{n(1000, 99999)}] INFO worker-{n(1, 64)} took {n(1, 9999)}ms, 0x{letters(HEX, 12)}",
            "ticket and tracking": lambda: f"JIRA-{n(1, 99999)}, parcel 1Z{letters(string.ascii_uppercase + string.digits, 16)}",
            "base64 of bytes": lambda: base64.b64encode(chance.randbytes(48)).decode(),
            "prose": english.paragraph,
            "address of a page": lambda: f"see https://{english.domain_name()}/{english.uri_path()}?page={n(1, 99)}",
            "package": lambda: f"npm install left-pad@{n(0, 9)}.{n(0, 9)}.{n(0, 9)} && pip install a=={n(0, 9)}.{n(0, 30)}.{n(0, 9)}",
        }  # fmt: skip


# --- ways to hide a value ------------------------------------------------------------------------


def _wide(value: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isdigit() else c for c in value)


def _joined(value: str) -> str:
    return "\u200b".join(value)


def _dashed(value: str) -> str:
    return value.replace("-", "\u2011").replace(" ", "\u00a0")


EVASIONS: dict[str, Callable[[str], str]] = {
    "full-width digits": _wide,
    "Arabic-Indic digits": lambda v: v.translate({48 + d: 0x660 + d for d in range(10)}),
    "zero-width characters inside": _joined,
    "Unicode dashes and no-break spaces": _dashed,
    "percent-encoded": lambda v: quote(v, safe="").replace(".", "%2E"),
    "percent-encoded twice": lambda v: quote(quote(v, safe=""), safe=""),
    "HTML entities": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "named HTML entities": lambda v: (
        html.escape(v).replace("@", "&commat;").replace(".", "&period;")
    ),
    r"\u escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "JSON in a JSON string": lambda v: json.dumps({"a": json.dumps({"value": v})}),
    "base64": lambda v: base64.b64encode(f"the value is {v} today".encode()).decode(),
    "base64, URL-safe, no padding": lambda v: (
        base64.urlsafe_b64encode(f"the value is {v} today".encode()).decode().rstrip("=")
    ),
}
