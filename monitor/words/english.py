"""The most common words of English that are nobody's name: the words of Faker (MIT) without its
names."""

from __future__ import annotations

_WORDS = """
ability able about above accept according across act activity actually add administration admit
adult affect after again against age agent ago agree agreement ahead air all allow almost alone
along already also although always american among amount analysis another any anyone anything
appear apply approach area argue arm around arrive article artist as ask assume attack attention
attorney audience author authority available avoid away baby back base be beautiful because become
before begin behavior behind believe benefit better between beyond big billion bit blood blue
board body book born both boy bring brother build business but buy call campaign candidate capital
care career catch cell century certain certainly challenge character charge check child choice
choose citizen civil claim class clearly close coach cold collection color commercial common
community compare computer concern condition conference congress consider consumer contain
continue cost could country couple course court cover create crime cultural current dark daughter
debate decade decide decision defense degree democrat democratic describe despite detail determine
develop development difference different difficult direction discover discuss discussion do door
down draw dream drug during each east easy eat economic economy edge effect effort eight either
election employee enjoy enough enter entire environment environmental especially establish even
event ever every everybody everyone everything evidence exactly executive exist expect experience
expert explain eye fact factor far fast father fear federal feel feeling few fight figure fill
finally financial find fine finish firm first fish five fly focus follow force foreign forget
former forward four free friend full fund future garden gas generation get girl give government
great ground grow growth guess hair half hand happen happy hard have he head hear heart heavy her
here herself high him himself his hit hold home hot how however huge human hundred husband
identify if image imagine impact important improve include including increase indeed indicate
individual industry information inside instead institution interest interesting international
interview into investment involve issue it its itself join just keep kid kind kitchen know
knowledge land language last late later laugh lawyer lay lead leader learn least leave left leg
less let letter level life light like likely listen live local look lose loss machine magazine
main maintain majority make manage many marriage material matter maybe me mean measure
medical meet member memory mention message method middle might military million mind mission
modern moment money most mother mouth move movement much must myself name nation national natural
nature near nearly necessary need never new newspaper next nice nor nothing notice now occur off
officer official often oil old once only onto open operation opportunity option organization other
others our out outside over own owner painting part participant particular particularly partner
party past pattern pay perform performance perhaps person personal physical pick picture piece
place plant play point police political politics poor popular population position positive
possible prepare present president pressure pretty prevent probably produce product production
professional professor program project property protect prove provide public pull purpose push
quickly quite race raise range rate rather reach ready reality realize really reason receive
recent recently recognize record red reduce reflect region relate relationship religious remain
remember represent republican require resource respond response responsibility rest result return
reveal right rise road role safe same save say scene scientist score sea seat section see seek
seem sell send senior sense serious serve set seven several shake share she should shoulder sign
significant similar simple simply since single sister sit situation six size skill skin smile so
social soldier some somebody someone something sometimes son soon sort sound source space speak
special specific speech spend sport spring staff stage stand standard state statement stay step
still stop strategy structure student study stuff style subject success successful suddenly suffer
suggest sure surface system take talk tax teach teacher television tell ten tend term test than
thank that their them themselves then theory there these they thing think third this those though
thought thousand threat through throughout throw thus time today together tonight too top total
tough toward trade traditional travel treat treatment trip trouble true truth try turn type under
understand until up upon us use usually value various very view visit voice vote wait walk want
war we wear weight well what whatever when where whether which while who whole whom whose why wide
wife win wind window wish within without woman wonder work worker worry would write writer wrong
yard yeah yes yet you your yourself
"""
COMMON_WORDS = frozenset(_WORDS.split())
"""Lower case."""
