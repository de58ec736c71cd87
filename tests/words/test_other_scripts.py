"""Names and addresses in scripts other than Latin: fields that are called so, and what is none."""

from __future__ import annotations

import pytest

from monitor.privacy.patterns import Scanner
from monitor.recognizers import select

SCANNER = Scanner(select())


@pytest.mark.parametrize(
    ("field", "value", "entity"),
    [
        ("имя", "Иван", "PERSON"),
        ("ФИО", "Петров Иван Сергеевич", "PERSON"),
        ("姓名", "王小明", "PERSON"),
        ("氏名", "山田 太郎", "PERSON"),
        ("이름", "김철수", "PERSON"),
        ("الاسم", "محمد علي", "PERSON"),
        ("שם מלא", "דוד כהן", "PERSON"),
        ("पूरा नाम", "राम कुमार", "PERSON"),
        ("όνομα", "Γιώργος", "PERSON"),
        ("住所", "東京都千代田区丸の内1-1-1", "LOCATION"),
        ("адрес", "ул. Ленина, д. 10", "LOCATION"),
        ("出生日期", "1980-05-12", "DATE_OF_BIRTH"),
    ],
)
def test_a_field_says_what_it_holds_in_any_script(field: str, value: str, entity: str) -> None:
    """As in English."""
    spans = SCANNER.scan(value, field)
    assert [(value[one.start : one.end], one.entity) for one in spans] == [(value, entity)]


@pytest.mark.parametrize(
    "text",
    [
        "Клиент не получил товар. Уважаемые коллеги, Дорогой друг! Имя файла: Отчёт.docx; имя: str",
        "Проект «Умный Дом» запущен. Россия, Москва, Красная площадь. Г. Москва. А. Также Б. п. 3.",
        "Получатель: Отдел Продаж; Клиент: ООО Ромашка; дата рождения не указана, 12.05.2020",
        "我叫了外卖. 任何人都可以. 文件名字: 王者报告, 地址: https://example.com, 各位女士们先生们",
        '{"name": "東京タワー"}, {"name": "상품"}, {"name": "方案"}',
        "お客様各位、お世話になっております. 東京都の人口は1400万人, 名前は何ですか, 店長さん、お父さん",
        "고객님, 사장님, 선생님. 상품 이름: 김치, 주소: http://a.kr, 이용자님 도우미님, 강남구 3번",
        "السيد المحترم، شكرا. العنوان: http://a.com, الاسم: مطلوب",
        "שם: קובץ, שם הקובץ: דוח סופי. מר ומתוק, שמי השמים כחולים",
        "उत्पाद का नाम: लाल कमीज़ बड़ी, श्री लंका सुंदर है, पता नहीं 5 बजे",
    ],
)
def test_ordinary_texts_stay_as_they_are(text: str) -> None:
    """Words that lead to a name lead to other things, too."""
    assert [text[one.start : one.end] for one in SCANNER.scan(text)] == []
