"""Words that tell the name of a person: expressions of titles, salutations, labels, relations and the like, which look at no
case."""

from __future__ import annotations

TITLE = (
    r"Mr|Mrs|Ms|Miss|Mx|Dr|Prof|Sir|Dame|Lord|Lady|Rev|Fr|Capt|Col|Herrn?|Frau|Monsieur|Madame|Mademoiselle|Mme|Mlle"
    r"|Se.or|Se.ora|Se.orita|Sra?|Don|Do.a|Signora?|Sig|Sig\.ra|Dott|Dott\.ssa|Senhora?|Mevrouw|Meneer|Dhr|Mevr|Pan|Pani"
)

SAID = (
    r"my (?:full |first |last |user)?name(?: is|'s|:)|i am called|people call me"
    r"|signed by|mein name ist|ich hei.e|ich hei.{1,2}e|je m.appelle|mon nom est|me llamo|mi nombre es|mi chiamo"
    r"|il mio nome .|meu nome .|chamo-me|mijn naam is|ik heet|nazywam si.|mam na imi.|jag heter|jeg hedder|jeg heter|mit navn er|mitt namn .r|navnet mitt er"
)

SALUTATION = (
    r"dear|hi|hello|hey|good (?:morning|afternoon|evening)|liebe[rs]?|hallo|sehr geehrter?|bonjour|cher|ch.re|salut|hola"
    r"|estimad[oa](?: se.ora?| don| do.a)?|querid[oa]|ciao|caro|cara|gentile|ol(?:á|a|\?)|prezad[oa](?: senhora?)?|beste|geachte|cze[^a-z\s]{2}|drogi|hej|k.ra"
)

CLOSING = (
    r"(?:(?:kind|best|warm) )?(?:regards|wishes)|sincerely(?: yours)?|yours (?:truly|sincerely|faithfully)|cheers|many thanks|thanks|thank you"
    r"|mit freundlichen gr.{1,2}en|viele gr.{1,2}e|lg|cordialement|saludos|un saludo|cordiali saluti|atenciosamente"
    r"|met vriendelijke groet(?:en)?|pozdrawiam"
)

LABEL = (
    r"(?:full|first|last|customer|patient|employee|client|card ?holder|account ?holder|passenger|guest|contact|maiden)"
    r"[ _-]?name|surname|vorname|nachname|nom|pr.nom|nombre|apellidos?|cognome|imi.|nazwisko|patient(?:e|in)?|paciente|paziente|attn|signed"
)

OWN = (
    r"(?:first|last|middle|given|family|maiden)[ _-]?name|surname|forename|vorname|nachname|familienname|apellidos?|pr.{1,2}nom"
    r"|cognome|voornaam|achternaam|nazwisko|sobrenome|fornavn|etternavn|efternamn"
)
"""Fields that hold a part of a name and nothing else."""

ELEMENT = r"(?:given|family)(?: qualifier=\"[a-z]{1,3}\")?(?:>| value=)"
"""The same in XML of HL7: documents (CDA) and FHIR."""

BY = (
    r"(?:raised|reported|told|placed|referred|seen|written|sent|approved|submitted|prepared|reviewed|made|requested|raised|opened"
    r"|closed|handled|treated|admitted|examined|interviewed|represented|owned|created|filed|taken|booked|paid) by"
    r"|(?:assigned|escalated|forward(?:ed)?(?: (?:this|it|that))?|belongs|addressed|issued|registered|made out|payable|transferred(?: (?:me|us|him|her|them))?|referred"
    r"|introduced (?:me|us)|delivered?|reach(?:ed)? out|reporte?d?|wrote|write|given|married) to"
    r"|(?:call|message|letter|e-?mail|note|payment|parcel|complaint|request|hear(?:d)?) from|on behalf of|in the name of|name of"
    r"|care of|c/o|attention of|under the name(?: of)?|name\?(?: [a-z]{2,9}:)?|[a-z]{2,12}'s name(?: is)?|(?:change|correct|update) it to|add(?:ed|ing)?|name on the (?:account|card|booking|order|policy) is"
)

TALK = (
    r"(?:spoke|spoken|speak(?:ing|s)?|talk(?:ed|ing|s)?|chat(?:ted|ting)?|met|meet(?:ing)?|deal(?:t|ing)|work(?:ed|ing)) (?:to|with)"
    r"|met|ask(?:ed|ing)?(?: for)?|(?:chat|call|appointment|conversation|phone|line) with|tell|told|according to|discussed with|i know|call me|contact|habe mit|j.ai vu|informed|notified"
    r"|(?:e-?mailed|phoned|texted|messaged|contacted|rang|visited|interviewed|notified|informed|reminded)"
    r"|habl. con|ho parlato con|falei com|parl. avec|gesprochen mit|gesproken met|u spreekt met|rozmawia.(?:em|am) z"
    r"|talade med|talte med|snakket med"
)

AM = (
    r"i am|i'm|ich bin|hier ist|hier spricht|je suis|ici|soy|habla|sono|qui|ik ben|jestem|sou|aqui . ?[oa]?|jag .r|jeg er|det er|det .r"
    r"|the name is|the name's"
)

KIN = (
    r"(?:my|his|her|our|their|your|the patient's|meine?|mon|ma|mi|mijn|mia|mio|minha|meu|min)"
    r" (?:(?:late|ex|older|younger|elder|eldest|twin|step|little|big|other|new|former|dear|best)[ -]?)?"
    r"(?:wife|husband|spouse|partner|son|daughter|child|kid|mother|father|mom|mum|dad|brother|sister|uncle|aunt|cousin|nephew|niece"
    r"|grand(?:mother|father|son|daughter|ma|pa)|fianc.e?|girlfriend|boyfriend|friend|neighbou?r|colleague|coworker|co-worker|boss"
    r"|manager|supervisor|assistant|landlord|landlady|tenant|lawyer|attorney|accountant|doctor|gp|nurse|therapist|dentist|teacher"
    r"|roommate|flatmate|carer|guardian|mann|tochter|sohn|mutter|vater|bruder|schwester|kollegin?|chef|mari|femme|fils|fille"
    r"|esposa|marido|hijo|hija|madre|padre|vrouw|man|zoon|dochter|moglie|marito|figlio|figlia|esposo|filho|filha)"
)

ROLE = (
    r"(?:patient|customer|client|agent|nurse|caller|tenant|employee|student|teacher|attorney|lawyer|detective|officer|inspector"
    r"|constable|councillor|consultant|midwife|applicant|claimant|defendant|witness|suspect|subscriber|member|user|pt|daughter|son|wife|husband|mother|father|passenger|colleague"
    r"|account ?holder is|account ?owner is|cardholder is|kunde|kundin|patientin|cliente|paciente|paziente|klant|klient)"
)

FIELD = (
    r"(?:requester|requestor|policy ?holder|recipient|passenger|signed(?: by)?|assigned|opened by|raised by|handled by|your name|full name|first and last name|account owner|referring physician|agent|caller|reporter|assignee|owner|author|beneficiary|card ?holder|account ?holder|student|consultant"
    r"|mother|father|spouse|husband|wife|son|daughter|next of kin|emergency contact|contact(?: person)?|nurse|doctor|physician|gp|surgeon"
    r"|tenant|landlord|cc|from|to|pt|client|customer|employee|applicant|guardian|guarantor|witness|interviewer|candidate|attendee"
    r"|organi[sz]er|assigned to|reported by|referred by|prepared by|approved by|name of [a-z]{3,12}|kunde|cliente|ansprechpartner(?:in)?"
    r"|naam|imi. i nazwisko|titular|titulaire|intestatario|responsable|contacto|contatto|contato|kontaktperson|navn|namn|nome"
    r"|name on (?:account|card))"
)

NAMED = (
    r"(?:i|we|he|she|they|you|who|has|have|had|just|already|then|and|man|woman|lady|guy|girl|boy|lady|gentleman|person|someone|somebody"
    r"|colleague|friend|agent|doctor|nurse|patient|customer|client|neighbou?r|lawyer|employee|one|student|kid|child)"
    r"(?: who \w+ \w+)? (?:is |was )?(?:named|called)"
)
