"""Languages and scripts."""

from __future__ import annotations

import pytest

from monitor.features.language import FEATURE, language
from monitor.types import Part


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("My parcel has not arrived and I would like to know where it is.", "en"),
        ("Mein Paket ist nicht angekommen und ich möchte wissen, wo es ist.", "de"),
        ("Mon colis n'est pas arrivé et je voudrais savoir où il est.", "fr"),
        ("Mi paquete no ha llegado y me gustaría saber por qué no está aquí.", "es"),
        ("Il mio pacco non è arrivato e vorrei sapere dove si trova.", "it"),
        ("O meu pacote não chegou e gostaria de saber onde está com os outros.", "pt"),
        ("Mijn pakket is niet aangekomen en ik wil graag weten waar het is.", "nl"),
        ("Moja paczka nie dotarła i chciałbym wiedzieć, gdzie się znajduje.", "pl"),
        ("Посылка не пришла", "cyrillic"),
        ("Το δέμα δεν έφτασε", "greek"),
        ("لم تصل الطرد", "arabic"),
        ("包裹没有到", "han"),
        ("荷物が届きません", "kana"),
        ("소포가 오지 않았어요", "hangul"),
        ("पार्सल नहीं आया", "devanagari"),
        ("พัสดุยังไม่มา", "thai"),
        ("12345 !?", "unknown"),
        ("🙂", "unknown"),
    ],
)
def test_languages(text: str, expected: str) -> None:
    """Whole sentences of common languages are told apart."""
    assert language(text) == expected


def test_the_question_is_the_last_user_text(record, seen) -> None:
    """An English system prompt does not make a German question English."""
    one = record(
        inputs=[
            Part(role="system", text="You are the assistant of the shop and you are brief."),
            Part(role="user", text="Wo ist denn die Rechnung?"),
        ]
    )
    assert seen(FEATURE, one)["input_language"] == ["de"]
