"""Texts in other scripts than Latin with one value each, and texts without any, for bench_privacy.

The wording is another than that of the recognizer's examples and tests, and no recognizer was changed for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from faker import Faker

SEED = 91823
PERSON, LOCATION, BIRTH = "PERSON", "LOCATION", "DATE_OF_BIRTH"

TEMPLATES: dict[str, dict[str, tuple[str, ...]]] = {
    "ru_RU": {
        PERSON: ("Здравствуйте, меня зовут {}, не могу войти в кабинет.", "Пациент: {}\nЖалобы: кашель", "Спасибо!\n\nС уважением,\n{}", "Вчера я говорил с {} о договоре."),
        LOCATION: ("Мой адрес: {}", "Доставьте, пожалуйста, посылку: {}"),
        BIRTH: ("Дата рождения: {}", "Пациент родился {} в Казани"),
    },
    "uk_UA": {
        PERSON: ("Добрий день, мене звати {}, не працює оплата.", "Пацієнт: {}\nСкарги: кашель", "Дякую!\n\nЗ повагою,\n{}", "Учора я розмовляв з {} про договір."),
        LOCATION: ("Моя адреса: {}", "Доставте, будь ласка, посилку: {}"),
        BIRTH: ("Дата народження: {}", "Пацієнт народився {} у Львові"),
    },
    "el_GR": {
        PERSON: ("Καλημέρα, με λένε {} και δεν μπορώ να συνδεθώ.", "Ασθενής: {}\nΣυμπτώματα: βήχας", "Ευχαριστώ,\nΜε εκτίμηση,\n{}", "Χθες μίλησα με {} για τη σύμβαση."),
        LOCATION: ("Η διεύθυνσή μου: {}", "Στείλτε το δέμα εδώ: {}"),
        BIRTH: ("Ημερομηνία γέννησης: {}", "Γεννήθηκε στις {} στην Πάτρα"),
    },
    "zh_CN": {
        PERSON: ("您好，我叫{}，我无法登录。", "患者姓名：{}，主诉：咳嗽", "谢谢！\n此致\n{}", "昨天我和{}谈了合同。"),
        LOCATION: ("我的地址是{}", "请把包裹寄到：{}"),
        BIRTH: ("出生日期：{}", "他生于{}，现住北京"),
    },
    "ja_JP": {
        PERSON: ("こんにちは、{}と申します。ログインできません。", "患者氏名：{}\n主訴：咳", "よろしくお願いします。\n{}", "昨日{}さんと契約について話しました。"),
        LOCATION: ("住所は{}です。", "荷物はこちらへ送ってください：{}"),
        BIRTH: ("生年月日：{}", "{}生まれの患者です"),
    },
    "ko_KR": {
        PERSON: ("안녕하세요, 저는 {}입니다. 로그인이 안 됩니다.", "환자명: {}\n증상: 기침", "감사합니다.\n{} 드림", "어제 {} 님과 계약에 대해 이야기했습니다."),
        LOCATION: ("제 주소는 {}입니다.", "소포를 여기로 보내 주세요: {}"),
        BIRTH: ("생년월일: {}", "환자는 {} 출생입니다"),
    },
    "ar_SA": {
        PERSON: ("مرحبا، اسمي {} ولا أستطيع الدخول.", "اسم المريض: {}\nالشكوى: سعال", "مع خالص التحية،\n{}", "تحدثت أمس مع {} عن العقد."),
        LOCATION: ("عنواني: {}", "أرسلوا الطرد إلى {}"),
        BIRTH: ("تاريخ الميلاد: {}", "ولد المريض في {} في جدة"),
    },
    "he_IL": {
        PERSON: ("שלום, קוראים לי {} ואני לא מצליח להתחבר.", "שם המטופל: {}\nתלונה: שיעול", "תודה,\nבברכה,\n{}", "אתמול דיברתי עם {} על החוזה."),
        LOCATION: ("הכתובת שלי: {}", "שלחו את החבילה אל {}"),
        BIRTH: ("תאריך לידה: {}", "המטופל נולד ב-{} בחיפה"),
    },
    "hi_IN": {
        PERSON: ("नमस्ते, मेरा नाम {} है, मैं लॉग इन नहीं कर पा रहा।", "मरीज का नाम: {}\nशिकायत: खांसी", "धन्यवाद,\nभवदीय,\n{}", "कल मैंने {} से अनुबंध के बारे में बात की।"),
        LOCATION: ("मेरा पता: {}", "कृपया पार्सल यहाँ भेजें: {}"),
        BIRTH: ("जन्म तिथि: {}", "मरीज का जन्म {} को हुआ"),
    },
}  # fmt: skip
"""By locale and entity; the fourth for a person is running text."""
NOTHING = {
    "ru_RU": (
        "Название: {}. Договор № {n} от 12.05.2024.",
        "Версия {n} вышла, адрес сайта: https://пример.рф",
    ),
    "uk_UA": (
        "Назва: {}. Договір № {n} від 12.05.2024.",
        "Версія {n} вийшла, адреса сайту: https://приклад.укр",
    ),
    "el_GR": (
        "Εταιρεία: {}. Σύμβαση {n} στις 12/05/2024.",
        "Η έκδοση {n} είναι έτοιμη, δείτε τη σελίδα.",
    ),
    "zh_CN": ("公司：{}，合同编号{n}，日期2024年5月12日。", "第{n}版已发布，请看文档。"),
    "ja_JP": (
        "会社: {}、契約番号{n}、2024年5月12日。",
        "バージョン{n}が公開されました。皆様ご確認ください。",
    ),
    "ko_KR": (
        "회사: {}, 계약 번호 {n}, 2024년 5월 12일.",
        "버전 {n}이 나왔습니다. 고객님 확인해 주세요.",
    ),
    "ar_SA": ("الشركة: {}، العقد رقم {n} بتاريخ 12/05/2024.", "صدر الإصدار {n}، انظر الصفحة."),
    "he_IL": ("החברה: {}, חוזה מספר {n} מיום 12.05.2024.", "גרסה {n} יצאה, ראו את העמוד."),
    "hi_IN": ("कंपनी: {}, अनुबंध संख्या {n}, दिनांक 12-05-2024.", "संस्करण {n} आ गया है, पृष्ठ देखें।"),
}


def labelled(each: int) -> Iterator[tuple[str, str, str, int, int]]:
    """Locale, what it is, text, and where its value begins and ends; `each` of a template."""
    for locale, kinds in TEMPLATES.items():
        faker = Faker(locale)
        faker.seed_instance(SEED)
        for entity, templates in kinds.items():
            for number, template in enumerate(templates):
                before, _, after = template.partition("{}")
                kind = f"{entity}, in running text" if (entity, number) == (PERSON, 3) else entity
                for _ in range(each):
                    value = _value(faker, locale, entity)
                    yield locale, kind, before + value + after, len(before), len(before + value)


def negatives(each: int) -> Iterator[tuple[str, str]]:
    """Locale and a text in which nothing is to be found: a company, a number, a date, a version, prose."""
    for locale, templates in NOTHING.items():
        faker = Faker(locale)
        faker.seed_instance(SEED + 1)
        for template in (*templates, "{p}"):
            for _ in range(each):
                number, prose = faker.random_int(1000, 9999), faker.text(200)
                text = template.replace("{n}", str(number)).replace("{p}", prose)
                yield locale, text.replace("{}", faker.company())


def _value(faker: Faker, locale: str, entity: str) -> str:
    if entity == PERSON:
        return str(faker.name())
    if entity == LOCATION:
        return " ".join(str(faker.address()).split())
    date = faker.date_of_birth()
    if locale in ("zh_CN", "ja_JP"):
        return f"{date.year}年{date.month}月{date.day}日"
    return date.strftime("%Y.%m.%d" if locale == "ko_KR" else "%d.%m.%Y")
