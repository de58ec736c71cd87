"""National numbers agree with an independent library (python-stdnum), digit by digit."""

from __future__ import annotations

import importlib
import random
import re
from collections.abc import Iterator

import pytest
from stdnum.exceptions import InvalidChecksum

from monitor.privacy.patterns import Scanner
from monitor.recognizers import RECOGNIZERS

# Recognizer → module of stdnum, a word beside the number, the number: `9` is any digit, a group in
# brackets one of these characters, `D` a date (`YYMMDD`, `DDMMYY`).
NUMBERS = {
    "at_svnr": ("at.vnr", "SVNR", "9999DDMMYY"),
    "au_abn": ("au.abn", "ABN", "99999999999"),
    "au_acn": ("au.acn", "ACN", "999999999"),
    "au_tfn": ("au.tfn", "TFN", "999999999"),
    "be_national_number": ("be.nn", "NISS", "YYMMDD99999"),
    "bg_egn": ("bg.egn", "ЕГН", "YYMMDD9999"),
    "br_cnpj": ("br.cnpj", "CNPJ", "99999999000199"),
    "br_cpf": ("br.cpf", "CPF", "99999999999"),
    "ca_sin": ("ca.sin", "SIN", "999999999"),
    "ch_ahv": ("ch.ssn", "AHV", "7569999999999"),
    "cz_birth_number": ("cz.rc", "rodné číslo", "YYMMDD9999"),
    "de_tax_id": ("de.idnr", "IdNr.", "99999999999"),
    "ee_isikukood": ("ee.ik", "isikukood", "[34]YYMMDD9999"),
    "es_nie": ("es.nie", "NIE", "[XYZ]9999999[TRWAGMYFPDXBNJZSQVHLCKE]"),
    "es_nif": ("es.dni", "DNI", "99999999[TRWAGMYFPDXBNJZSQVHLCKE]"),
    "fi_personal_identity_code": ("fi.hetu", "hetu", "DDMMYY-[2345678]99[0123456789ABCDEFHJKLMNPRSTUVWXY]"),
    "fr_nir": ("fr.nir", "NIR", "[12]99[0][123456789][1345678]9999999 99"),
    "gr_amka": ("gr.amka", "AMKA", "DDMMYY99999"),
    "hr_oib": ("hr.oib", "OIB", "99999999999"),
    "ie_pps": ("ie.pps", "PPSN", "9999999[ABCDEFGHIJKLMNOPQRSTUVW][AH]"),
    "in_aadhaar": ("in_.aadhaar", "Aadhaar", "[23456789]99999999999"),
    "it_fiscal_code": ("it.codicefiscale", "codice fiscale", "RSSMRA[6789]9[ABCDEHLMPRST][12]9H[1234567]99[ABCDEFGHIJKLMNOPQRSTUVWXYZ]"),
    "lv_personas_kods": ("lv.pvn", "personas kods", "DDMMYY-19999"),
    "nl_bsn": ("nl.bsn", "BSN", "999999999"),
    "no_fodselsnummer": ("no.fodselsnummer", "fnr", "DDMMYY[01234]9999"),
    "pl_pesel": ("pl.pesel", "PESEL", "YYMMDD99999"),
    "pt_nif": ("pt.nif", "NIF", "[123]99999999"),
    "ro_cnp": ("ro.cnp", "CNP", "[12]YYMMDD[1234]99999"),
    "se_personnummer": ("se.personnummer", "personnummer", "YYMMDD-9999"),
    "si_emso": ("si.emso", "EMŠO", "DDMM[9]99509999"),
    "ar_cuil": ("ar.cuit", "CUIL", "2[04567]999999999"),
    "cl_rut": ("cl.rut", "RUT", "99999999[0123456789K]"),
    "cn_resident_id": ("cn.ric", "resident id", "1101011[9]YYMMDD999[0123456789X]"),
    "kr_rrn": ("kr.rrn", "RRN", "YYMMDD[12]999999"),
    "mx_curp": ("mx.curp", "CURP", "BOXWYYMMDDHNERXN[0123456789]9"),
    "ru_inn": ("ru.inn", "ИНН", "999999999999"),
    "tr_tckn": ("tr.tckimlik", "TCKN", "[123456789]9999999999"),
    "za_id": ("za.idnr", "SA ID", "YYMMDD9999[01]99"),
    "uk_nhs": ("gb.nhs", "NHS", "9999999999"),
}  # fmt: skip
BY_NAME = {each.name: Scanner([each]) for each in RECOGNIZERS}


def written(form: str, chance: random.Random) -> str:
    """A number as its form says."""
    day, month = f"{chance.randint(1, 28):02}", f"{chance.randint(1, 12):02}"
    form = form.replace("DD", day).replace("MM", month)
    form = form.replace("YY", f"{chance.randint(30, 89):02}")
    return re.sub(
        r"\[(\w+)\]|9",
        lambda match: chance.choice(match[1] or "0123456789"),
        form,
    )


def samples(name: str, count: int) -> Iterator[tuple[str, bool]]:
    """So many numbers whose check digit is right, and those on the way whose is not."""
    library, _, form = NUMBERS[name]
    module = importlib.import_module(f"stdnum.{library}")
    chance = random.Random(name)
    right = 0
    for _ in range(60_000):
        number = written(form, chance)
        try:
            module.validate(number)
        except InvalidChecksum:
            yield number, False
        except Exception:  # noqa: BLE001  another reason than its check digit
            continue
        else:
            right += 1
            yield number, True
        if right == count:
            return


@pytest.mark.parametrize("name", NUMBERS)
def test_check_digits_agree(name: str) -> None:
    """What the library calls valid is found, what has a wrong check digit for it is not."""
    scanner, word = BY_NAME[name], NUMBERS[name][1]
    right = wrong = 0
    for number, is_valid in samples(name, 25):
        text = f"{word}: {number}"
        found = [text[span.start : span.end] for span in scanner.scan(text)]
        assert found == ([number] if is_valid else []), text
        right += is_valid
        wrong += not is_valid
    assert right >= 10
    assert wrong >= 10


@pytest.mark.parametrize("name", sorted({*NUMBERS} - {"cn_resident_id"}))
def test_bare_digits_without_a_word_are_no_finding(name: str) -> None:
    """They are orders and products, whatever their check digit; but for 18 digits with a day of this century or the last one
    in their midst."""
    everything = Scanner(RECOGNIZERS)
    for number, is_valid in samples(name, 5):
        if is_valid and number.isdigit() and not number.startswith("00"):
            spans = everything.scan(f"order {number} was sent")
            assert [span for span in spans if span.entity != "CREDIT_CARD"] == []
