"""Names of people, addresses and days of birth in Cyrillic, Greek, Chinese, Japanese, Korean, Arabic, Hebrew and Devanagari,
where the words around them say so: "меня зовут", a title, a label, 住所. Most names in running text need a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from monitor.finders import Named, of_message
from monitor.lazy import lazy
from monitor.words.other_scripts import (
    ARABIC,
    CYRILLIC,
    DEVANAGARI,
    GREEK,
    HAN,
    HEBREW,
    KOREAN,
    NOBODY,
)

_SCRIPTS = tuple(
    (
        lazy(letters),
        [
            (lazy(one.at), lazy(one.ahead), one.behind and lazy(one.behind), one.kind, one.back)
            for one in looks
        ],
    )
    for letters, looks in (
        ("[\u0400-\u04ff]", CYRILLIC),
        ("[\u0370-\u03ff]", GREEK),
        ("[\u3041-\u30ff\u3400-\u9fff]", HAN),
        ("[\uac00-\ud7a3]", KOREAN),
        ("[\u0621-\u06d3]", ARABIC),
        ("[\u05d0-\u05ea]", HEBREW),
        ("[\u0904-\u0939]", DEVANAGARI),
    )
)
_ENTITIES = {"birth": "DATE_OF_BIRTH", "place": "LOCATION", "street": "LOCATION"}
"""By the group of an expression, or the kind of a look; of others PERSON."""


def _read(text: str, _: Sequence[int]) -> Iterator[Named]:
    for letters, looks in _SCRIPTS:
        if letters.search(text) is None:
            continue
        for at, ahead, behind, kind, back in looks:
            for place in at.finditer(text):
                match = ahead.match(text, place.start())
                before = behind and behind.search(text, max(0, place.start() - back), place.start())
                if match is None or before is None:
                    continue
                group = match.lastgroup or ""
                start = before.start() if before else match.start(group)
                end = match.end(group) if group else match.end()
                entity = _ENTITIES.get(group or kind, "PERSON")
                value = text[start:end].rstrip()
                is_one = entity != "PERSON" or value.split(" ", 1)[0].casefold() not in NOBODY
                if value and is_one:
                    yield start, start + len(value), entity


RECOGNIZER, *MORE = of_message(
    name="other_scripts",
    triggers=(),
    read=_read,
    examples={
        "PERSON": (
            "Меня зовут «Иван Петров», помогите. ФИО: «Петров Иван Сергеевич»; Имя: «Иван»",
            "Уважаемый «Иван Петрович», г-н «Сидоров» и «Иванов И. П.» с «А. С. Пушкиным».",
            "С уважением,\n«Иван Петров»\nМене звати «Олена Шевченко». Ім'я: «Олена»",
            "Με λένε «Γιώργος Παπαδόπουλος». Ονοματεπώνυμο: «Μαρία Παππά»\nη κ. «Παππά» ήρθε",
            '我叫«王小明», 姓名: «王小明», 请找«王»先生。 名字: «李雷», {"name": "«山田太郎»"}',
            "私の名前は«山田太郎»です. 氏名: «山田 太郎», «山田太郎»様、«佐藤»さん. 名前: «鈴木一郎»",
            "제 이름은 «김철수»입니다. 성명: «김철수», «김철수» 님, 이름: «박영희»",
            "اسمي «محمد علي», الاسم: «محمد علي حسن»",
            "קוראים לי «דוד כהן», שם: «דוד כהן»",
            "मेरा नाम «राम कुमार» है, नाम: «राम कुमार»",
        ),
        "LOCATION": (
            "Адрес: «г. Москва, ул. Ленина, д. 10, кв. 5»\nя живу на «ул. Ленина, 10»",
            "住所: «東京都千代田区丸の内1-1-1»\n«〒100-0005 東京都千代田区丸の内1丁目1番1号» です",
            "地址: «北京市朝阳区建国路88号»\n我住在«北京市朝阳区建国路88号»",
            "주소: «서울특별시 강남구 테헤란로 152»\n저는 «서울특별시 강남구 테헤란로 152» 에",
            "العنوان: «شارع الملك فهد 12»\nפגישה ב «רחוב הרצל 12»",
            "पता: «12 गांधी मार्ग, दिल्ली»\nΔιεύθυνση: «Ερμού 12, Αθήνα»",
        ),
        "DATE_OF_BIRTH": (
            "Дата рождения: «12.05.1980», родился «12 мая 1980»",
            "生年月日: «1980年5月12日», 出生日期: «1980-05-12», 생년월일: «1980.05.12»",
            "تاريخ الميلاد: «12/05/1980», תאריך לידה: «12.05.1980», जन्म तिथि: «12-05-1980»",
        ),
    },
    counterexamples=(
        "Уважаемый Клиент, имя: файл, Имя: нет, С уважением,\nкоманда. Доктор наук, адрес: https://пример.рф",
        "我是高中生, 先生们, お客様、皆様, 名前: 商品一覧, 任何先生, 地址: 无, 私は学生です",
        "고객님 이용자 님 이름: 상품, 저는 학생입니다, 주소: 없음",
        "الاسم: غير معروف, السيد الرئيس, שם: לא ידוע, नाम: पता, श्री लंका 12",
        "Встреча 12.05.1980, 会議 1980年5月12日, v1.2 Иван",
    ),
)
