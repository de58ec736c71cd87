"""Names of people where the words around them say so: a title, "my name is", a salutation, a signature, a
label, a verb of speaking, a relation. A name in running text needs a model (`privacy.ner`).

Some words leave no doubt (Mr, "my name is"): any capitalised word after them is a name. After others (this is, spoke
to, name:) stand products, places and companies as well: there a name has two words that look like those of people,
of which none is in the lists at the end of this file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from monitor.common_words import COMMON_WORDS
from monitor.interfaces import Recognizer

_TITLE = (
    r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|Capt|Col|Herrn?|Frau|Monsieur|Madame|Mademoiselle|Mme|Mlle"
    r"|Se.or|Se.ora|Se.orita|Sra?|Don|Do.a|Signora?|Sig|Sig\.ra|Dott|Dott\.ssa|Senhora?|Mevrouw|Meneer|Dhr|Mevr|Pan|Pani"
)
_SAID = (
    r"my (?:full |first |last |user)?name(?: is|'s|:)|i am called|people call me"
    r"|signed by|mein name ist|ich hei.e|ich hei.{1,2}e|je m.appelle|mon nom est|me llamo|mi nombre es|mi chiamo"
    r"|il mio nome .|meu nome .|chamo-me|mijn naam is|ik heet|nazywam si.|mam na imi.|jag heter|jeg hedder|jeg heter|mit navn er|mitt namn .r|navnet mitt er"
)
_SALUTATION = (
    r"dear|hi|hello|hey|good (?:morning|afternoon|evening)|liebe[rs]?|hallo|sehr geehrter?|bonjour|cher|ch.re|salut|hola"
    r"|estimad[oa]|querid[oa]|ciao|caro|cara|gentile|ol(?:á|a|\?)|prezad[oa]|beste|geachte|cze[^a-z\s]{2}|drogi|hej|k.ra"
)
_CLOSING = (
    r"(?:(?:kind|best|warm) )?(?:regards|wishes)|sincerely(?: yours)?|yours (?:truly|sincerely|faithfully)|cheers|many thanks|thanks|thank you"
    r"|mit freundlichen gr.{1,2}en|viele gr.{1,2}e|lg|cordialement|saludos|un saludo|cordiali saluti|atenciosamente"
    r"|met vriendelijke groet(?:en)?|pozdrawiam"
)
_LABEL = (
    r"(?:full|first|last|customer|patient|employee|client|card ?holder|account ?holder|passenger|guest|contact|maiden)"
    r"[ _-]?name|surname|vorname|nachname|nom|pr.nom|nombre|apellidos?|cognome|imi.|nazwisko|patient|attn|signed"
)
_LETTER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĘĚĞĢĪİŁŃŇŐŒŘŚŞŠŢŤŪŮŰŹŻŽΑ-ΩА-Я"
_WORD = rf"[{_LETTER}](?:[^\W\d_]|['’-](?=[^\W\d_]))*"
_LINK = r"(?:v[ao]n(?: de[rn]?)?|de(?: la| los)?|d[aeio]s?|del|della|di|du|la|le|bin|ibn|al|el|ter|ten|zu|zum|y|e)"
_PART = rf"(?:[{_LETTER}]\.|{_WORD})"
_FIRST = rf"(?:{_LINK} )?{_PART}"
_NAME = rf"(?:[ -](?:{_LINK} )?{_PART})"
_ONE = rf"(?P<value>{_FIRST}{_NAME}{{0,4}})"
_SEVERAL = rf"(?P<value>{_FIRST}{_NAME}{{1,4}})"
_MORE = rf"(?:(?:{_TITLE})\.? ){{0,3}}"
_STOP = r"(?=\s*(?:[,.!?;:)\"\n|<]|\Z))"
_ON = (
    r"(?=\s*(?:[,.!?;:)\"\n|<]|\Z)|(?:'s)? (?:from|speaking|calling|here|again|with|writing|and|who|aus|vom?|de|del|d[ae]l?|van|von"
    r"|och|og|en|y|i|et|und|z|fra|f.?r.?n|yesterday|today|this|on|at|in|about|twice|gestern|ayer|ieri|ontem|hier|wczoraj)\b)"
)
_BY = (
    r"(?:raised|reported|told|placed|referred|seen|written|sent|approved|submitted|prepared|reviewed|made|requested|raised|opened"
    r"|closed|handled|treated|admitted|examined|interviewed|represented|owned|created|filed|taken|booked|paid) by"
    r"|(?:assigned|escalated|forward(?:ed)?(?: (?:this|it|that))?|belongs|addressed|issued|registered|made out|payable|transferred(?: (?:me|us|him|her|them))?|referred"
    r"|introduced (?:me|us)|delivered?|reach(?:ed)? out|reporte?d?|wrote|write|given|married) to"
    r"|(?:call|message|letter|e-?mail|note|payment|parcel|complaint|request|hear(?:d)?) from|on behalf of|in the name of|name of"
    r"|care of|c/o|attention of|under the name(?: of)?|name\?(?: [a-z]{2,9}:)?|[a-z]{2,12}'s name(?: is)?|(?:change|correct|update) it to|add(?:ed|ing)?|name on the (?:account|card|booking|order|policy) is"
)
_TALK = (
    r"(?:spoke|spoken|speak(?:ing|s)?|talk(?:ed|ing|s)?|chat(?:ted|ting)?|met|meet(?:ing)?|deal(?:t|ing)|work(?:ed|ing)) (?:to|with)"
    r"|met|ask(?:ed|ing)?(?: for)?|(?:chat|call|appointment|conversation|phone|line) with|tell|told|according to|discussed with|i know|call me|contact|habe mit|j.ai vu|informed|notified"
    r"|(?:e-?mailed|phoned|texted|messaged|contacted|rang|visited|interviewed|notified|informed|reminded)"
    r"|habl. con|ho parlato con|falei com|parl. avec|gesprochen mit|gesproken met|u spreekt met|rozmawia.(?:em|am) z"
    r"|talade med|talte med|snakket med"
)
_AM = (
    r"i am|i'm|ich bin|hier ist|hier spricht|je suis|ici|soy|habla|sono|qui|ik ben|jestem|sou|aqui . ?[oa]?|jag .r|jeg er|det er|det .r"
    r"|the name is|the name's"
)
_KIN = (
    r"(?:my|his|her|our|their|your|the patient's|meine?|mon|ma|mi|mijn|mia|mio|minha|meu|min)"
    r" (?:(?:late|ex|older|younger|elder|eldest|twin|step|little|big|other|new|former|dear|best)[ -]?)?"
    r"(?:wife|husband|spouse|partner|son|daughter|child|kid|mother|father|mom|mum|dad|brother|sister|uncle|aunt|cousin|nephew|niece"
    r"|grand(?:mother|father|son|daughter|ma|pa)|fianc.e?|girlfriend|boyfriend|friend|neighbou?r|colleague|coworker|co-worker|boss"
    r"|manager|supervisor|assistant|landlord|landlady|tenant|lawyer|attorney|accountant|doctor|gp|nurse|therapist|dentist|teacher"
    r"|roommate|flatmate|carer|guardian|mann|tochter|sohn|mutter|vater|bruder|schwester|kollegin?|chef|mari|femme|fils|fille"
    r"|esposa|marido|hijo|hija|madre|padre|vrouw|man|zoon|dochter|moglie|marito|figlio|figlia|esposo|filho|filha)"
)
_ROLE = (
    r"(?:patient|customer|client|agent|nurse|caller|tenant|employee|student|teacher|attorney|lawyer|detective|officer|inspector"
    r"|constable|councillor|consultant|midwife|applicant|claimant|defendant|witness|suspect|subscriber|member|user|pt|daughter|son|wife|husband|mother|father|passenger|colleague"
    r"|account ?holder is|account ?owner is|cardholder is|kunde|kundin|patientin|cliente|paciente|paziente|klant|klient)"
)
_FIELD = (
    r"(?:requester|requestor|policy ?holder|recipient|passenger|signed(?: by)?|assigned|opened by|raised by|handled by|your name|full name|first and last name|account owner|referring physician|agent|caller|reporter|assignee|owner|author|beneficiary|card ?holder|account ?holder|student|consultant"
    r"|mother|father|spouse|husband|wife|son|daughter|next of kin|emergency contact|contact(?: person)?|nurse|doctor|physician|gp|surgeon"
    r"|tenant|landlord|cc|from|to|pt|client|customer|employee|applicant|guardian|guarantor|witness|interviewer|candidate|attendee"
    r"|organi[sz]er|assigned to|reported by|referred by|prepared by|approved by|name of [a-z]{3,12}|kunde|cliente|ansprechpartner(?:in)?"
    r"|naam|imi. i nazwisko|titular|titulaire|intestatario|responsable|contacto|contatto|contato|kontaktperson|navn|namn|nome"
    r"|name on (?:account|card))"
)
_NAMED = (
    r"(?:i|we|he|she|they|you|who|has|have|had|just|already|then|and|man|woman|lady|guy|girl|boy|lady|gentleman|person|someone|somebody"
    r"|colleague|friend|agent|doctor|nurse|patient|customer|client|neighbou?r|lawyer|employee|one|student|kid|child)"
    r"(?: who \w+ \w+)? (?:is |was )?(?:named|called)"
)
_KIND = re.compile(
    rf"(?P<title>(?:{_TITLE})\.? )|(?P<said>(?i:{_SAID})\s+)|(?P<kin>(?i:{_KIN})(?:, | is | named | called | )(?=[{_LETTER}]))"
    rf"|(?P<greeted>(?i:(?:{_SALUTATION})[,!.]{{0,3}} (?:this is|it's|i'm|i am|here is|my name's)) )"
    rf"|(?P<speaker>(?i:this is|it's|my name's) )|(?P<am>(?i:{_AM}),? )"
    rf"|(?P<label>(?i:{_LABEL})[\"']?\s*[:=|\t\n]\s*[\"']?)"
    rf"|(?P<field>(?i:{_FIELD})[\"']?(?:\s?[:=|\t]){{1,2}}\s{{0,8}}[\"']?)"
    rf"|(?P<name>_?[Nn]ame[\"']?(?:\s?[:=|\t]){{1,2}}\s{{0,8}}[\"']?)"
    rf"|(?P<talk>(?i:{_TALK}|{_BY}|{_NAMED}|{_ROLE}) )"
    rf"|(?P<closing>(?i:{_CLOSING})\s*[,.!]?\s*\n\s*)|(?P<salutation>(?i:{_SALUTATION}),? )"
)
_NAMES = {
    kind: re.compile(_MORE + name)
    for kind, name in {
        "title": _ONE,
        "said": _ONE,
        "label": _SEVERAL,
        "closing": _ONE + r"(?=\s*(?:,|\n|\Z))",
        "salutation": _ONE
        + r"(?<! [A-Z])(?=\s*(?:[,!:.]|\n|\Z)| (?:here|speaking|calling|and (?:team|all|family|colleagues|everyone))\b)",
        "greeted": rf"(?:{_SEVERAL}|(?P<single>{_PART})(?=,|[.!] |[.!]?\Z| (?:from|calling|speaking|here|again|with)\b))",
        "kin": _ONE,
        "speaker": _SEVERAL + _ON,
        "am": _SEVERAL + _ON,
        "talk": _SEVERAL,
        "field": rf"(?P<value>{_FIRST}, {_PART}{_NAME}?|{_FIRST}{_NAME}{{1,4}})" + _STOP,
        "name": rf"(?P<value>{_FIRST}, {_PART}{_NAME}?|{_FIRST}{_NAME}{{1,4}})" + _STOP,
    }.items()
}
_DOUBTED = frozenset({"kin", "greeted", "speaker", "am", "talk", "field", "name"})
"""Kinds of words after which a name must look like one of a person."""
_BEFORE = re.compile(rf"(?:\A|[\s>\"'(:,;])(?P<value>{_FIRST}{_NAME}{{1,3}})[\s\"',(]{{1,3}}\Z")
"""A name before what only people do: write, speak, be born, have an address."""
_AFTER = r"wrote:|(?:speaking|here)[,.]|d\.?o\.?b\b|(?:is )?an? [0-9]{2}[- ]year|[0-9]{2} ?(?:yo|y/o|years? old)\b|born on"
_AT_AFTER = re.compile(rf"<|{_AFTER}", re.IGNORECASE)


def _find(text: str, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    done = 0
    for start in starts:
        if start < done:
            continue
        after = _AT_AFTER.match(text, start) is None
        span = _after_words(text, start) if after else _before_words(text, start, done)
        if span:
            done = span[1]
            yield span


def _after_words(text: str, start: int) -> tuple[int, int] | None:
    """The name after the words that begin at `start`."""
    words = _KIND.match(text, start)
    if words is None:
        return None
    kind = words.lastgroup or ""
    name = _NAMES[kind].match(text, words.end())
    if name is None:
        return None
    group = "value" if name["value"] else "single"
    value = name[group]
    if kind in _DOUBTED or (kind in ("salutation", "closing") and " " in value):
        is_one = is_person(value) and not _THING.match(text, name.end(group))
        if kind == "name":
            is_one = is_one and not _PRODUCT.search(text, max(0, start - 60), name.end() + 80)
    else:
        is_one = _somebody(value)
    return name.span(group) if is_one else None


def _before_words(text: str, start: int, done: int) -> tuple[int, int] | None:
    """The name before the words that begin at `start`, not before `done`."""
    floor = max(done, start - 60)
    last = text[floor:start].rstrip(" \n\"',(")
    if not last[last.rfind(" ") + 1 :].lstrip("\n\"'>(")[:1].isupper():
        return None  # as nearly always
    name = _BEFORE.search(text[floor:start])
    while name and not is_person(name["value"]):  # without the first word, perhaps
        name = _BEFORE.search(text[floor:start], name.start("value") + 1)
    return (floor + name.start("value"), floor + name.end("value")) if name else None


def _somebody(value: str) -> bool:
    return len(value) > 2 and value.split(maxsplit=1)[0].lower() not in _NOBODY


_NOUN = re.compile(
    r".(?:tions?|[^s]sions?|(?<![ck]le)ments?|ware|[lt]ity|ities|[aeiot]ics|isms?|ology|phone|work|flow|book)s?\Z"
)
"""How nouns end, and no names."""
_PROPER = re.compile(
    rf"(?:Mc|Mac|O['’]|D['’]|De|Di|Le|La|Van|Von)?[{_LETTER}](?:[^\W\d_]*[^\W\d_A-Z])?(?:['’]?[-’'][^\W\d_]+)*\.?"
)
_SHOUTED = re.compile(rf"[{_LETTER}][{_LETTER}'’-]+\.?")


def is_person(value: str) -> bool:
    """Whether capitalised words may be the name of a person: each is written as names are, none in a list
    of what names of other things are made of.

    >>> is_person("Jane O'Neill"), is_person("Visual Studio"), is_person("JANE DOE"), is_person("PostgreSQL Server")
    (True, False, True, False)
    """
    words = [word.strip(",") for word in re.split(r"[ -]", value)]
    if not (
        all(map(_PROPER.fullmatch, filter(_capital, words))) or all(map(_SHOUTED.fullmatch, words))
    ):
        return False
    lower = [word.lower().rstrip(".").removesuffix("'s").removesuffix("’s") for word in words]
    is_month = len(lower) > 1 and lower[0] in ("april", "june", "august")
    if (
        (lower[0] in _NOBODY and not is_month)
        or lower[0] in _NOT_FIRST
        or (len(lower) == 1 and len(lower[0]) < 3)
    ):
        return False
    return not any(word in _NEVER or word in COMMON_WORDS or _NOUN.search(word) for word in lower)


def _capital(word: str) -> bool:
    return word[:1].isupper()


_THING = re.compile(
    r"(?:'s)?[ -](?:users?|people|team|support|customers?|apps?|accounts?|servers?|pages?|version|edition|office|branch|airport|store|hotel"
    r"|based|released?|department|station|library|framework|tools?|website|product|employees|residents|fans|of|inc|ltd|llc|gmbh)\b|[ -][&\d]",
    re.IGNORECASE,
)
"""What follows the names of other things."""
_PRODUCT = re.compile(
    r"(?i:price|sku|\bversion|\bsize|qty|quantity|colou?r|stock|product|\bitem|image:|replicas|namespace|apiversion|\bkind:|spec:"
    r"|container|\bpath|\burl|\bfile|\bhost|license|module|package|category|brand|model|isbn|genre|album|artist|director|population"
    r"|capital:|country:|company|project|service|server|app\b|plan:|event|venue)"
)
"""What stands around a field `name` that is none of a person."""
_NOBODY = frozenset(
    [
        "all",
        "anyone",
        "assistant",
        "bot",
        "chatgpt",
        "claude",
        "client",
        "colleague",
        "colleagues",
        "customer",
        "damen",
        "doctor",
        "everybody",
        "everyone",
        "folks",
        "friend",
        "friends",
        "gemini",
        "god",
        "guest",
        "guys",
        "hiring",
        "herr",
        "herren",
        "i",
        "it",
        "john-doe",
        "ladies",
        "madam",
        "madame",
        "manager",
        "mr",
        "ms",
        "mrs",
        "nobody",
        "none",
        "null",
        "patient",
        "professor",
        "reader",
        "readers",
        "santa",
        "senhor",
        "señor",
        "señora",
        "sir",
        "sirs",
        "team",
        "test",
        "the",
        "there",
        "this",
        "to",
        "unknown",
        "user",
        "valued",
        "world",
        "you",
        "your",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "dr",
        "pepper",
        "support",
        "service",
        "sales",
    ]
)


# What the names of software, companies, places, books, holidays and headings are made of. A surname that is such a
# word (Hill, Park, Day) is lost where only weak words tell it.
_NOT_FIRST = frozenset(
    word
    for line in (
        "power",
        "a an the my no more and or not ok in on at to for from by with of is are was were been does did has had can",
        "may got go good bad best second small long short low real green black white golden gold silver pink purple",
        "orange yellow bright slow quick north south west northern southern eastern western central upper lower inner",
        "outer san santa saint st los las port lake mount cape fort rio costa puerto palo buenos hong kuala sri saudi",
        "tel addis el visual google microsoft adobe amazon apple android windows docker apache oracle azure mozilla",
        "elastic hugging stable tensor active unreal proton outlook salesforce jupyter rocky linux github gitlab",
        "scikit gemini llama chat code clean deep data smart wireless running coffee premium basic starter family",
        "gift leather galaxy pixel xbox nintendo british german french italian spanish european global united general",
        "royal wells warner credit delta thermo deutsche hyde times silicon notre baden christmas easter burger star",
        "breaking pulp bohemian moby brave animal blade dune hotel game stranger lord merry getting known norwegian",
        "swedish danish dutch polish russian ukrainian chinese japanese korean indian turkish greek irish scottish",
        "welsh canadian australian mexican brazilian african asian arabic hebrew portuguese czech hungarian romanian",
        "swiss austrian belgian finnish latin hunt frequently asked further meeting team user annual quarterly",
        "monthly weekly daily market cyber final lunch change key risk lessons command line node sublime desk rice",
        "water winter summer autumn front rear help billing tech legal quality mad little hunger toy early boxing ash",
        "thanksgiving day friday saturday sunday tuesday wednesday thursday union isle ivory kansas sierra burkina",
        "palm electronic liberty dollar pizza taco banco nordic magic silk model title topic app logic epic web net",
        "cloud house super ultra micro one two three nine chapter phase plan version series please thanks sorry hello",
        "dear tomorrow yesterday monday technical customer digital mobile remote virtual private regional der die das",
        "ein eine la le les il lo een het de um uma den det en et ett",
    )
    for word in line.split()
)
_NEVER = frozenset(
    word
    for line in (
        "square shell band deck command lost garage",
        "inc corp corporation llc ltd plc gmbh ag spa srl bv nv oy kg co company companies group holdings partners",
        "sons brothers bros bank insurance airlines airways express motors electric energy healthcare hospital",
        "clinic university college school institute department ministry council team teams support service services",
        "sales desk office offices systems solutions technologies technology software consulting logistics industries",
        "foundation association society agency committee bureau union club league press news media studio studios",
        "store stores shop market foods hotel restaurant cafe bar museum theatre depot airport station terminal",
        "street avenue boulevard plaza mall center centre tower building bridge beach island islands city town county",
        "valley springs republic kingdom states africa america europe australia india china canada germany york",
        "angeles vegas kong lanka arabia rica rico aires lumpur ababa aviv alto delhi zealand mexico michigan everest",
        "dame shield farm mail telekom suisse one cloud server servers database engine assistant desktop",
        "directory explorer browser framework library platform network api app kafka spark hat photoshop firefox code",
        "pro mini ultra plus lite beta edition suite kit pack card plan watch phone tablet mouse jacket shoes maker",
        "chair hose wallet bi boot rails redshift flow face guard opus search devops actions mint lab cut learning",
        "science intelligence model models data analytics report reports summary notes issues table contents terms",
        "conditions policy policies privacy error errors handling steps start started questions items cause review",
        "overview introduction conclusion appendix features requirements settings options help guide manual tutorial",
        "documentation example examples dhabi fools morning afternoon evening night week month year monday",
        "tuesday wednesday thursday friday saturday sunday january february september october november december",
        "christmas easter madness holiday wars bad fiction rhapsody world runner rain california football thrones",
        "things rings expectations gatsby peace messiah the of for in on at to is are was and or with from by not no",
        "line lines user users customer customers client clients order orders account accounts number numbers email",
        "address linux unix gpt sql java python javascript typescript rust redis postgres mysql kubernetes grafana",
        "prometheus terraform ansible mistral falcon large nano turbo sonnet haiku flash instruct heights jurassic",
        "kali ubuntu debian fedora kde gnome bluetooth wifi apps auto map maps word words note game games launcher",
        "workflow stream streams package gem gems security defender function basic operator queue cluster node pod",
        "pipeline bot bots tool tools plugin extension module driver drivers editor viewer player scanner printer",
        "router switch gateway proxy cache storage drive disk file files folder archive backup log logs monitor",
        "dashboard chart graph form forms pages web site inbox calendar camera video audio radio music movie",
        "film series season episode show shows story stories song songs album cup final finals match lamp dress boots",
        "shirt bag bottle mug knife cooker oven sink bed blanket toy toys doll bike car cars truck train plane",
        "boat tire battery charger cable screen speaker headset keyboard box bundle pass ticket tickets voucher",
        "coupon membership subscription trial warranty refund discount offer deal risk risks assessment lesson",
        "lessons learned change changes reading minutes meeting meetings results plans budget goal goals task tasks",
        "action list item topic topics question answer answers problem problems idea ideas practice practices process",
        "rule rules laws quality assurance control management finance accounting marketing compliance audit",
        "training education research design patterns history economics culture health medicine food water fire earth",
        "star stars sky ocean forest tree animal animals dog dogs cat horse dragons women men people friends",
        "family autumn weekend hour hours minute second midnight noon break lunch dinner breakfast exam days isle",
        "coast gate harbour falls desert district province territory empire colony side moon run go end faq takeaways",
        "freeze progress purchase prices legal tech billing costruzioni sarl ab paper general two three manager",
        "director engineer division unit counter reception hotline helpdesk resources",
    )
    for word in line.split()
)


def canonical(value: str) -> str:
    """Words in lower case without accents, apart by one space; titles are no part of a value.

    >>> canonical("José  Muñoz")
    'jose munoz'
    """
    plain = unicodedata.normalize("NFKD", value.casefold())
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def _plausible(text: str) -> bool:
    return len(text) <= 80 and any(map(str.isalpha, text)) and not any(map(str.isdigit, text))


RECOGNIZER = Recognizer(
    name="person",
    entity="PERSON",
    triggers=(
        rf"(?-i:\b(?:{_TITLE})\.? (?:[A-Z?]|v[ao]n |de |di |da |del ))",
        rf"\b(?:{_SAID})",
        r"(?-i:\b(?:[Tt]his is|[Ii]t's|[Mm]y name's) [A-Z?])",
        rf"(?-i:\b(?i:{_SALUTATION})[,!.]{{0,3}} (?i:this is|it's|i'm|i am|here is|my name's) [A-Z?])",
        rf"(?-i:\b(?i:{_SALUTATION}),? [A-Z?])",
        rf"(?-i:\b(?i:{_AM}),? [A-Z?])",
        *(rf"(?-i:\b(?i:{words}) (?:[A-Z?]|v[ao]n ))" for words in (_TALK, _BY, _ROLE)),
        rf"(?-i:\b(?i:{_NAMED}) [A-Z?])",
        rf"(?-i:\b(?i:{_KIN})(?:, | is | named | called | )[A-Z?])",
        rf"\b(?:{_CLOSING})\s{{0,3}}[,.!]?\s{{0,3}}\n",
        rf"\b(?:{_LABEL})[\"']?\s{{0,3}}[:=|\t\n]",
        rf"\b(?:{_FIELD}|name)[\"']?\s?[:=|\t]",
        r"_name[\"']?\s?[:=|\t]",
        rf"\b(?:{_AFTER})",
        r"<[a-z0-9_.+-]{1,40}@",
    ),
    find=_find,
    canonical=canonical,
    examples=(
        "Mr. «Jones» and Dr «Ana María García» met Prof. Dr. «Karl-Heinz Müller», then Frau «von der Leyen».",
        "My name is «Alice Liddell», je m'appelle «Zoé», mi chiamo «Luca Rossi»; me llamo «José».",
        "Dear Mrs «O'Brien»,\nthank you.\nBest regards,\n«Bob Smith»\n",
        "This is «Jane Roe» speaking",
        "Hi «Carol», hello «Dave»!",
        "Patient: «John Q. Public»; customer_name = «Mary Poppins»",
        "Hi, this is «Ada». This is «Jane Roe», I'm «Jan van der Berg» from Utrecht; it's «Luca Rossi» again.",
        "I spoke to «Jane Roe» and met «José Muñoz»; reported by «Mary Major», I called «Max Power» today.",
        "my wife «Carol», his lawyer «Bob Loblaw»; customer «Erika Mustermann» agreed; ask for «Jan Kowalski»",
        "From: «Jane Roe» <j@example.org>\nOn Monday «Richard Roe» wrote:\nName: «Doe, Jane»\nCaller: «Max Power»",
        "«Zoë O'Neill» speaking, «Karl Braun» (DOB 1 May), ich bin «Karl Braun», habl\u00e9 con «Ana García» ayer",
    ),
    counterexamples=(
        "Dear customer, Dear Sir or Madam, Hi there, hello World!, Dear Team,",
        "Mr is a title. The Dr said: my name is on the list; name: value, patient: stable",
        "Best regards,\nthe team; Thanks,\n42; dear Customer,",
        "This is Visual Studio Code. A tool called Apache Kafka; I spoke to Wells Fargo and Customer Service.",
        "It's Black Friday! Hello Red Hat, I'm New York based; we met San Francisco people, reported by Docker Desktop users",
        "name: Blue Jacket, price: 12; name: Checkout Service; my account Premium Plan; From: Monday Morning",
        "This is Machine Learning, see Release Notes wrote: and Plan B here. Owner: Human Resources; this is NOT FINE.",
    ),
    keys=frozenset(
        {
            "fullname", "firstname", "lastname", "surname", "givenname", "familyname", "middlename", "customername",
            "patientname", "employeename", "cardholdername", "accountholder", "contactname", "recipientname", "maidenname",
        }
    ),
    plausible=_plausible,
)  # fmt: skip
