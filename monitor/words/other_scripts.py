"""Words that lead to a name, an address or a day of birth in scripts other than Latin, and how names are written in them.

Of each script the expressions that look on from a word, and those that look back from one (`BEFORE`): to look for a name at every
character would take ten times as long. All repetitions have a bound.
"""

from __future__ import annotations

from typing import NamedTuple


class Look(NamedTuple):
    """Where `at` matches, `ahead` must match from there on and `behind` the `back` characters before, up to there. A value begins
    where `behind` does; without it, it is the last group of `ahead`. It ends where `ahead` does; without it, where `at` begins.
    """

    at: str
    ahead: str = ""
    behind: str = ""
    kind: str = "name"
    back: int = 56


_END = r"(?=[\"']?\s{0,3}(?:[,;)\"'|<}&\n]|\.(?!\w)|\Z))"
"""What ends a field."""
_SIGN = r"[\"']?\s{0,2}[:=|\t]\s{0,3}[\"']?"
_LATIN = r"[A-Z][a-z'-]{1,20}(?: [A-Z][a-z'-]{1,20}){0,3}"
_DATE = (
    r"(?:(?:18|19|20)\d\d(?: ?[-./年년] ?)[01]?\d(?: ?[-./月월] ?)[0-3]?\d[日일]?|[0-3]?\d[-./ ][0-3]?\d[-./ ](?:18|19|20)?\d\d"
    r"|[0-3]?\d [^\W\d_]{3,10},? (?:18|19|20)\d\d)(?!\d)"
)
_LINE = r"(?!\s{0,3}https?:)(?=[^\n]{0,60}[^\W\d_a-zA-Z])[^\n@\"|]{0,60}?\d[^\n@\"|;]{0,60}"
"""The rest of a line, with a number in it."""

# --- Cyrillic and Greek: names have capitals ---------------------------------------------------------------------------


def _cased(
    capital: str, *, said: str, title: str, closing: str, label: str, street: str, address: str, born: str
) -> Look:  # fmt: skip
    """How a script is looked through that has capitals."""
    word = rf"{capital}[^\W\d_]{{1,24}}(?:['’-][^\W\d_]{{1,24}})?"
    name = rf"(?:(?:{capital}\. ?){{1,2}}{word}|{word}(?: (?:{word}|{capital}\.(?: ?{capital}\.)?)){{0,2}})"
    return Look(
        at=rf"\b(?:{_by_first(said, title, closing, label, address, born, street)})",
        ahead=rf"(?:{said})[ :-]{{1,3}}(?:(?:{title}) )?(?P<name>{name})"
        rf"|(?:{closing})[,.!]?\s{{1,3}}(?:(?:{title}) )?(?P<closing>{name})(?=\s{{0,3}}(?:[,\n]|\Z))"
        rf"|(?:{label}){_SIGN}(?:(?:{title}) )?(?P<label>{name}|{_LATIN}){_END}"
        rf"|(?:{address}){_SIGN}(?P<place>{_LINE})"
        rf"|(?:{born})[^\d\n,;]{{0,12}}(?P<birth>{_DATE})"
        rf"|(?P<street>(?:{street}) ?{capital}[\w. -]{{1,40}}?,? ?(?:д\.|дом|буд\.)? ?\d{{1,4}}\w?(?:[/-]\d{{1,4}})?"
        rf"(?:, ?(?:корп|к|стр|кв|оф|квартира)\.? ?\d{{1,4}})*)"
        rf"|(?:{title}) (?:(?:{title}) )?(?P<title>{name})",
    )


def _by_first(*words: str) -> str:
    """Words apart by `|`, put together by the character that they begin with: most do not at most places."""
    found: dict[str, list[str]] = {}
    for word in _alternatives("|".join(words)):
        bare = word.rpartition(")")[2] if word.startswith("(?<!") else word
        size = bare.index("]") + 1 if bare.startswith("[") else 1
        found.setdefault(bare[:size], []).append(bare[size:])
    return "|".join(f"{first}(?:{'|'.join(rest)})" for first, rest in found.items())


def _alternatives(words: str) -> list[str]:
    """The alternatives of an expression, those within brackets left together."""
    found, depth = [""], 0
    for character in words:
        depth += (character in "([") - (character in ")]")
        if character == "|" and not depth:
            found.append("")
        else:
            found[-1] += character
    return found


_CAPITAL = "[А-ЯЁІЇЄҐЎЈЉЊЋЂЏ]"
_WORD = rf"{_CAPITAL}[^\W\d_]{{1,20}}"
_SURNAME = r"(?:(?:[оеё]в|[иы]н)(?:[аеу]|ы[мх]|ой)?|[сц]к(?:ий|ая|ого|ому|им|ой|ую)|енко|чук|юк|ян|дзе|швили)"
"""How surnames end, declined too."""

_CYRILLIC = _cased(
    _CAPITAL,
    said=r"[Мм]еня зовут|[Мм]ене звати|[Мм]о[её] имя|[Мм]оє ім'я|[Кк]азвам се",
    title=r"[Гг]-(?:н|жа|ну|на|жу|же|ном)|[Гг]осподин[ауе]?|[Гг]оспож[аеуи]|[Уу]важаем(?:ый|ая)|[Дд]орог(?:ой|ая)|[Шш]ановн(?:ий|а)"
    r"|[Дд]октор[ау]?|[Пп]ациент(?:к[аиуе]|а|у)?|[Кк]лиент(?:к[аиуе]|а|у)?|[Дд]-р|[Гг]р\.|тов\.|[Пп]ан[іу]?|[Дд]обродій(?:ка)?",
    closing=r"[Сс] уважением|[Зз] повагою|[Ии]скренне [Вв]аша?|[Сс] наилучшими пожеланиями",
    label=r"Ф\.И\.О\.|[Фф][Ии][Оо](?: \w{3,12})?|ПІБ|[Фф]амилия(?:,? имя)?(?:,? отчество)?|[Ии]мя(?: и фамилия| клиента| пациента| получателя| заказчика| ребенка| ребёнка)?|[Оо]тчество|[Пп]олучатель"
    r"|[Оо]тправитель|[Зз]аявитель|[Кк]онтактное лицо|[Іі]м'я|[Пп]різвище|[Пп]ациент(?:ка)?|[Кк]лиент(?:ка)?|[Сс]отрудник|[Ии]ме",
    street=r"ул\.|[Уу]лица|вул\.|[Пп]р-т|[Пп]роспект|пр\.|пер\.|[Пп]ереулок|[Бб]ульвар|б-р|[Шш]оссе|наб\.|[Нн]абережная|[Пп]лощадь|пл\.",
    address=r"[Аа]дреса?(?: (?:доставки|проживания|регистрации|прописки|клиента|пациента))?",
    born=r"[Дд]ата рождения|[Дд]\.р\.|[Рр]одил(?:ся|ась)|[Дд]ата народження",
)

CYRILLIC = (
    _CYRILLIC,
    Look(  # Иванов Иван Иванович
        at=r"(?:вич|вна|ична|льич|мич|кич|тич)\b",
        ahead=rf"\w{{3,4}}(?: {_CAPITAL}[^\W\d_]{{0,16}}{_SURNAME}\b)?",
        behind=rf"\b(?:{_CAPITAL}[^\W\d_]{{0,16}}{_SURNAME} )?{_WORD} {_CAPITAL}[^\W\d_]{{0,14}}\Z",
    ),
    Look(  # Иванов И. И.
        at=rf"{_CAPITAL}\. ?{_CAPITAL}\.",
        ahead=rf"{_CAPITAL}\. ?{_CAPITAL}\.",
        behind=rf"\b{_CAPITAL}[^\W\d_]{{0,16}}{_SURNAME} \Z",
    ),
    Look(  # И. И. Иванов
        at=rf"{_CAPITAL}\. ?{_CAPITAL}\.",
        ahead=rf"(?P<initials>{_CAPITAL}\. ?{_CAPITAL}\. ?{_CAPITAL}[^\W\d_]{{0,16}}{_SURNAME})\b",
    ),
)

_GREEK = _cased(
    "[Α-ΩΆΈΉΊΌΎΏ]",
    said=r"[Μμ]ε λένε|[Οο]νομάζομαι|[Λλ]έγομαι|[Ττ]ο όνομά μου είναι",
    title=r"κ\.|κα\.?|[Κκ]ύριο[ςυ]|[Κκ]ύριε|[Κκ]υρίας?|[Αα]γαπητ[έή]|δρ\.|[Δδ]ρ",
    closing=r"[Μμ]ε εκτίμηση",
    label=r"[Όό]νομα|[Οο]νοματεπώνυμο|[Εε]πώνυμο|[Αα]σθενής|[Ππ]ελάτης",
    street=r"[Οο]δός|[Λλ]εωφ\.|[Λλ]εωφόρος|[Ππ]λατεία",
    address=r"[Δδ]ιεύθυνση",
    born=r"[Ηη]μερομηνία γέννησης|[Γγ]εννήθηκ[εα]",
)

GREEK = (_GREEK,)

# --- Chinese and Japanese ----------------------------------------------------------------------------------------------

_HAN = r"[\u3400-\u9fff々]"
_KANA = r"[\u3040-\u30ff]"
_CHINESE = (
    "王李张張刘劉陈陳杨楊黄黃赵趙吴吳周徐孙孫马馬朱胡郭何高林罗羅郑鄭梁谢謝宋唐许許韩韓冯馮邓鄧曹彭曾肖蕭田董潘袁蔡蒋蔣余于杜叶葉程魏苏蘇吕呂丁任卢盧姚沈钟鍾"
    "姜崔谭譚陆陸范汪廖石金韦韋贾賈夏付方邹鄒熊白孟秦邱侯江尹薛闫段雷龙龍黎史陶贺賀毛郝顾顧龚龔邵万萬覃武钱錢戴严嚴莫孔常汤湯"
    "聂聶纪紀丛叢毕畢费費施文樊兰蘭殷安洪倪牛温溫芦季俞章鲁魯葛苗裴翟申左柳祝齐齊阮岳梅盛童凌"
)
_JAPANESE = (
    r"(?:佐藤|鈴木|高橋|田中|伊藤|渡[辺邊部]|山本|中村|小林|加藤|吉田|山田|佐々木|山口|松本|井上|木村|[斎斉]藤|清水|山崎|池田|橋本|阿部|石川|山下|中島|石井|小川"
    r"|前田|岡田|長谷川|藤[田井原本]|後藤|近藤|村[上田]|遠藤|青木|坂本|福田|太田|西[村田]|金子|岡本|中[野川山田]|三浦|原田|松[田井尾]|竹内|小[野島山松]|田村|和田|石田|森田"
    r"|上[田野]|内田|柴田|酒井|宮[崎本]|横山|高[木田野]|安[藤田]|大[野塚西]|谷口|工藤|今井|増田|丸山|杉[山本]|新井|平[野田]|河野|野[口村]|武田|千葉|菅原|岩崎|久保田?|木下"
    r"|佐野|林|森|菊[地池]|市川|古川|島田|水野|桜井|吉川|山内|飯[田塚]|北村|五十嵐|川[口崎]|服部|本田)"
)
_NAMED = rf"(?:{_JAPANESE} ?(?:{_HAN}|{_KANA}){{0,4}}?|[{_CHINESE}]{_HAN}{{1,2}})"
_ANY_NAME = rf"(?:{_HAN}{{1,5}}(?: {_HAN}{{1,3}})?|{_HAN}{{1,3}} ?{_KANA}{{1,5}}|[\u30a0-\u30ff]{{2,12}}(?:[ ・=][\u30a0-\u30ff]{{2,12}})?|{_LATIN})"

HAN = (
    Look(
        at="[我名氏私僕姓お患收联聯申客担宛住所地生誕出]",
        ahead=rf"(?:我叫|我的名字[是叫]|我的姓名是)(?P<name>[{_CHINESE}]{_HAN}{{1,2}}|{_LATIN})"
        rf"|(?:名前は|氏名は|私は|僕は)(?P<said>{_NAMED})(?=です|だ|と申|と言|とい|[,.、\s]|\Z)"
        rf"|(?:姓名|氏名|お名前|患者名|收[件货貨]人|联系人|聯絡人|申请人|申請人|患者姓名|客户姓名|担当者|宛名){_SIGN}(?P<label>{_ANY_NAME}){_END}"
        rf"|(?<!{_HAN})(?<!{_KANA})(?:名字|名前|患者|客户|担当){_SIGN}(?P<doubted>{_NAMED}){_END}"
        rf"|(?:住所|所在地|地址|住址){_SIGN}(?P<place>{_LINE})"
        rf"|(?:生年月日|誕生日|出生日期|出生年月日?)[^\d\n,;]{{0,8}}(?P<birth>{_DATE})",
    ),
    Look(
        at="先生|女士|小姐|太太|さん|さま|様|氏",
        behind=rf"(?:{_JAPANESE}(?: ?(?:{_HAN}{{1,3}}|{_KANA}{{2,4}}))?|[{_CHINESE}]{_HAN}{{0,2}})\Z",
        back=9,
    ),
    Look(at="name", ahead=rf"(?<![a-z_])name{_SIGN}(?P<doubted>{_NAMED}){_END}"),
    Look(at="と申します", behind=rf"{_NAMED}\Z", back=9),
    Look(
        at="東京都|北海道|京都府|大阪府|県",
        ahead=r"\w{1,3}?[都道府県]?\w{2,16}?[市区町村郡][^\W\d_]{0,16}[\d一二三四五六七八九十]{1,4}(?:(?:-|丁目|番地?|号)\d{0,4}){0,6}",
        behind=rf"(?:〒 ?\d{{3}}-?\d{{4}} ?)?(?:{_HAN}{{2,3}})?\Z",
        kind="place",
        back=16,
    ),
    Look(
        at=r"[路街道巷弄同]\d{1,5}[号號]",
        ahead=r".\d{1,5}.(?:[\w-]{0,12}(?:室|楼|樓))?",
        behind=rf"(?:(?![在住于於到是我从從至往给給的]){_HAN}{{2,4}}?[省市区區县縣]){{1,3}}{_HAN}{{1,10}}\Z",
        kind="place",
    ),
)

# --- Korean ------------------------------------------------------------------------------------------------------------

_HANGUL = r"[\uac00-\ud7a3]"
_KOREAN = "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노나하곽성차주우구민진지엄채원천방"

KOREAN = (
    Look(
        at="[이성저환고수예받보담주배생]",
        ahead=rf"(?:이름은|성함은|저는) ?(?P<name>[{_KOREAN}]{_HANGUL}{{1,2}}?)(?=입니다|이에요|예요|이라고|라고|이고)"
        rf"|(?:성명|성함|환자명|고객명|수취인|예금주|받는 ?분|받는 ?사람|보내는 ?분){_SIGN}(?P<label>[{_KOREAN}]{_HANGUL}{{1,3}}|{_LATIN}){_END}"
        rf"|(?<!{_HANGUL} )(?:이름|환자|고객|담당자|고객 이름|환자 이름){_SIGN}(?P<doubted>[{_KOREAN}]{_HANGUL}{{1,3}}){_END}"
        rf"|(?:주소|배송지){_SIGN}(?P<place>{_LINE})"
        rf"|(?:생년월일|생일)[^\d\n,;]{{0,6}}(?P<birth>{_DATE})",
    ),
    Look(at="name", ahead=rf"(?<![a-z_])name{_SIGN}(?P<doubted>[{_KOREAN}]{_HANGUL}{{2}}){_END}"),
    Look(
        at=rf"[님씨](?!{_HANGUL}{{3}})",
        behind=rf"(?<!{_HANGUL})[{_KOREAN}]{_HANGUL}{{2}} ?\Z",
        back=4,
    ),
    Look(
        at=r"[로길동] ?\d",
        ahead=r". ?\d{1,4}(?:-\d{1,4})?",
        behind=rf"(?<!{_HANGUL}){_HANGUL}{{2,5}}[시도] (?:{_HANGUL}{{1,5}}[시군구] ){{1,2}}{_HANGUL}[\uac00-\ud7a3\d]{{0,9}}\Z",
        kind="place",
    ),
)

# --- Arabic, Hebrew, Devanagari: no capitals, and words apart ----------------------------------------------------------


def _plain(
    letter: str, *, said: str, title: str, label: str, address: str, born: str, street: str, end: str = "(?!)"
) -> tuple[Look, ...]:  # fmt: skip
    """How a script is looked through that has words and no capitals: a name has two words or more in a field, up to six where
    somebody says it and something ends it, and two else."""
    word = rf"{letter}{{2,20}}"
    return (
        Look(
            at=rf"(?<!{letter})(?:{_by_first(said, title, label, address, born, street)})",
            ahead=rf"(?:{said}) (?P<name>{word}(?: {word}){{0,5}}?)(?={end}|\s{{0,3}}(?:[,.;!\n]|\Z)| و)"
            rf"|(?:{said}) (?P<said>{word} {word})"
            rf"|(?:{title}) (?P<title>{word}(?: {word})?)"
            rf"|(?:{label}){_SIGN}(?P<label>{word}(?: {word}){{1,6}}|{_LATIN}){_END}"
            rf"|(?:{address}){_SIGN}(?P<place>{_LINE})"
            rf"|(?:{born})[^\d\n,;]{{0,8}}(?P<birth>{_DATE})"
            rf"|(?P<street>(?:{street}) {word}(?: {word}){{0,3}},? ?\d{{1,5}})",
        ),
    )


ARABIC = _plain(
    r"[\u0620-\u065f\u066e-\u06d3]",
    said=r"[اإ]سمي(?: هو)?",
    title=r"السيدة?(?! ال)|الدكتورة?(?! ال)|الأستاذة?(?! ال)|الآنسة(?! ال)",
    label=r"الاسم(?: الكامل| الأول)?|اسم (?:المريض|العميل|الزبون|المستلم)",
    address=r"العنوان|عنوان (?:السكن|المنزل|التوصيل)",
    born=r"تاريخ (?:الميلاد|الولادة)",
    street=r"شارع|طريق",
)
HEBREW = _plain(
    r"(?:[\u05d0-\u05ea]|'(?=[\u05d0-\u05ea]))",
    said=r"קוראים לי|שמי(?! ה)|השם שלי(?: הוא)?",
    title=r"מר(?! ו)|גב'|גברת|ד\"ר|פרופ'|אדון",
    label=r"שם(?: מלא| פרטי| משפחה)?|שם ה(?:מטופל|לקוח|חולה)",
    address=r"כתובת(?: מגורים| למשלוח)?",
    born=r"תאריך (?:לידה|הלידה)",
    street=r"רחוב|רח'|שדרות",
)
DEVANAGARI = _plain(
    r"(?:[\u0900-\u0963\u0970-\u097f]|['’](?=[\u0904-\u0939]))",
    said=r"मेरा नाम",
    title=r"श्री(?! लंका)|श्रीमती|सुश्री|डॉ\.",
    label=r"पूरा नाम|(?<!का )नाम|मरीज का नाम|ग्राहक का नाम|रोगी का नाम|उपनाम",
    address=r"घर का पता|पता",
    born=r"जन्म ?(?:तिथि|दिन|तारीख)",
    street=r"गली|मार्ग",
    end=r" (?:है|हैं|हूँ)",
)

NOBODY = frozenset(
    """клиент клиентка клиенты коллега коллеги пользователь пользователи покупатель партнер партнёр друг друзья господин госпожа
    читатель абонент гость сотрудник пациент заказчик президент министр директор редактор наук нет неизвестно строка текст имя фамилия
    отчество обязательно аноним пусто чат бот поддержка команда техподдержка отдел служба ооо оао ао зао пао ип компания банк магазин менеджер мужчина женщина
    администратор админ курьер склад доставка ребенок ребёнок
    πελάτη πελάτης όνομα άγνωστο
    未知 未填写 不详 不明 匿名 任何 没有 无 無し 文件 文档 文檔 文章 安全 安装 安裝 高级 高級 方案 方法 金额 金額 白色 黄色 常用 钱包 黄金 石油 高校 方向 江苏 温度 季度 马上 史上 盛大 童装 葛根 未入力 未定 姓名 氏名
    없음 미상 익명 이용자 조합원 구매자 신청자 구독자 전문가 지원자 여러분 소비자 공무원 고객사 고객님 이름 주식회사 도우미
    الرئيس الوزير العميل غير مجهول ليس مطلوب שם לא""".split()
)
"""Words in the place of a name that are nobody's."""
