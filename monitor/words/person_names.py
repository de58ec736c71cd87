"""Whether capitalised words may be the name of a person, or are of something else."""

from __future__ import annotations

from monitor.lazy import lazy
from monitor.words.english import COMMON_WORDS

LETTER = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĘĚĞĢĪİŁŃŇŐŒŘŚŞŠŢŤŪŮŰŹŻŽΑ-ΩА-Я"

_NOUN = lazy(
    r".(?:tions?|[^s]sions?|(?<![ck]le)ments?|ware|[lt]ity|ities|[aeiot]ics|isms?|ology|phone|work|flow|book)s?\Z"
    r"|.{3}[^b]outs?\Z|.{3}(?:offs|overs|backs|downs|ups)\Z"
)
"""How nouns end, and no names: among them what one does with something, a rollout, takeovers."""
_ADJECTIVE = lazy(r".+(?:less|[^i]ful|ible|[^m]able|ious|(?:ea|oo|ee)ky)\Z")
"""How words end that say what something is like, and no first names."""

_PROPER = lazy(
    rf"(?:Mc|Mac|O['’]|D['’]|De|Di|Le|La|Van|Von)?[{LETTER}](?:[^\W\d_]*[^\W\d_A-Z])?(?:['’]?[-’'][^\W\d_]+)*\.?"
)

_SHOUTED = lazy(rf"[{LETTER}][{LETTER}'’-]+\.?")

NOBODY = frozenset(
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
        "cliente",
        "paciente",
        "usuario",
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


def is_person(value: str) -> bool:
    """Whether capitalised words may be the name of a person: each is written as names are, none in a list
    of what names of other things are made of.

    >>> is_person("Jane O'Neill"), is_person("Visual Studio"), is_person("JANE DOE"), is_person("PostgreSQL Server")
    (True, False, True, False)
    """
    words = [word.strip(",") for word in value.replace("-", " ").split(" ")]
    if not (
        all(map(_PROPER.fullmatch, filter(_capital, words))) or all(map(_SHOUTED.fullmatch, words))
    ):
        return False
    lower = [word.lower().rstrip(".").removesuffix("'s").removesuffix("’s") for word in words]
    is_month = len(lower) > 1 and lower[0] in ("april", "june", "august")
    if (
        (lower[0] in NOBODY and not is_month)
        or lower[0] in _NOT_FIRST
        or _ADJECTIVE.match(lower[0])
        or (len(lower) == 1 and len(lower[0]) < 3)
    ):
        return False
    return not any(word in _NEVER or word in COMMON_WORDS or _NOUN.search(word) for word in lower)


def _capital(word: str) -> bool:
    return word[:1].isupper()


def is_somebody(value: str) -> bool:
    """Whether this may be a name where the words before it leave no doubt that one follows."""
    return len(value) > 2 and value.split(maxsplit=1)[0].lower() not in NOBODY
