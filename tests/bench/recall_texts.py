"""Telephone numbers, names and addresses as people write them, and what looks like them: seeded, made up.

`TUNED` templates are those the recognizers were tuned on. `HELD_OUT` ones were written when that was done, with
other words, other layouts, other seeds and more locales; words of telephones and endings of nouns were changed for what
they showed. `FRESH` ones were written after that, and nobody changed a recognizer for them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import phonenumbers
from faker import Faker

LOCALES = ("en_US", "en_GB", "en_CA", "en_AU", "de_DE", "de_AT", "fr_FR", "nl_NL", "es_ES", "it_IT", "pl_PL", "pt_BR", "pt_PT", "da_DK",
           "sv_SE", "no_NO")  # fmt: skip

LEADS = ("Please reach out about ", "Contact us on ", "call me about ", "sent to ", "The line shows ", "registered ", "office: ",
         "Registered on ", "reached ", "message ", "text ", "ring for ", "answering ")  # fmt: skip


@dataclass(frozen=True)
class Templates:
    """Contexts by the row of the report they make; `{}` is the value."""

    phones: dict[str, tuple[str, ...]]
    names: dict[str, tuple[str, ...]]
    addresses: dict[str, tuple[str, ...]]
    others: dict[str, tuple[str, ...]]
    """Words that are none of these, by class."""
    around: tuple[str, ...]
    """What stands around those."""


TUNED = Templates(
    phones={
        "support chat": (
            "I can't log in, can somebody reach me at {} this afternoon?", "you can reach him on {} until 5pm", "my new line is {}",
            "please stop sending messages to {}", "the code was sent to {} but never arrived", "nobody is answering at {}",
            "I never got the OTP on my registered {}", "best to ring {} after lunch", "Just text {} when the driver is near",
            "ok give me a call: {}", "try my husband, {}", "whats your number? {}", "the number on file is {}, is that right?",
            "I keep getting voicemail at {}.", "contact me under {} please", "call {} and ask for the manager",
        ),
        "ticket": (
            "Callback requested: {}", "Customer can be contacted on {} between 9 and 5.", "Caller ID {}", "Contact: {}",
            "Tried {} twice, left a voicemail.", "Reporter's phone {}", "Escalated; on-call engineer at {}",
            "SIM swap for {} completed", "SMS delivery to {} failed with error 30003", "Line {} is dead since Monday",
        ),
        "signature": (
            "Best,\nThe front desk\nT: {}", "Kind regards\nM {}\nwww.example.com", "--\nOffice: {}", "Desk: {}\nroom 4", "{} office",
            "{} (mobile)", "{}-Office", "{} fax", "Direct: {} | Acme", "P: {}", "Switchboard {}",
        ),
        "form": (
            "Phone:\n{}\n\nE-mail:\n-", "Emergency contact: {}", "Daytime no.: {}", "Home {}", "Work: {}", "Tel.: {}", "Telephone No {}",
            "Mobile number\t{}", "phone_number={}", "\"contactNumber\": \"{}\"", "| phone | {} |",
        ),
        "clinical note": (
            "Pt's daughter can be reached at {}.", "Next of kin phoned from {}.", "Pharmacy: {}", "Call-back # {}",
            "Discharge summary faxed to {}", "GP surgery {} informed",
        ),
        "German": ("Sie erreichen mich unter {}.", "Bitte um Rückruf unter {}", "Durchwahl {}", "Meine Nummer ist {}", "ruf mich an: {}"),
        "French": ("Vous pouvez me joindre au {}.", "merci de rappeler le {}", "Appelez-moi au {}", "mon numéro est le {}", "Port. {}"),
        "Spanish": ("Puede llamarme al {}.", "mi número es {}", "llámame al {}", "Tfno. {}", "contacto: {}"),
        "Italian": ("Mi può chiamare al {}.", "il mio numero è {}", "Cell. {}", "chiamami al {}", "recapito: {}"),
        "Dutch": ("U kunt mij bereiken op {}.", "bel me op {}", "mijn nummer is {}", "telefoonnr. {}"),
        "Polish": ("Proszę dzwonić pod {}.", "mój numer to {}", "tel. kom. {}", "kontakt: {}"),
        "Portuguese": ("Pode me ligar no {}.", "meu número é {}", "Contato: {}", "ligue para {}", "telemóvel {}"),
        "Scandinavian": ("Ring mig på {}.", "Du kan nå mig på {}", "mit nummer er {}", "tlf. {}", "mobilnr {}"),
    },
    names={
        "introduction": (
            "Hi, this is {} from accounting.", "Hello, this is {}, I have a question.", "This is {} calling about my order.",
            "this is {}. Who are you?", "I'm {} and I can't log in", "I am {}, the owner of the account.", "It's {} again.",
            "My name's {}.", "the name is {}", "Good morning, {} here.", "{} speaking, how can I help?",
        ),
        "talk": (
            "I spoke to {} yesterday.", "She talked with {} about the refund.", "We met {} at the office.", "I called {} on Friday.",
            "Please ask for {} at the desk.", "was told by {} to wait", "Yesterday I was speaking with {} in billing", "I emailed {} twice",
            "got a call from {} this morning", "Please forward this to {}.", "a man called {} picked up", "someone named {} signed for it",
        ),
        "relation": (
            "my wife {} is also on the policy", "My son {} was born there.", "my colleague {} will take over", "Her doctor, {}, agreed.",
            "my late father {} had an account", "his lawyer {} wrote to us", "our neighbour {} has the parcel", "my manager {} approved it",
        ),
        "ticket": (
            "Assigned to {}", "Reported by {}", "Customer {} complains of noise.", "Requester: {}", "Agent: {}", "Caller: {}",
            "Escalated to {} for review", "Account holder is {}.", "The account is in the name of {}.", "Cc: {}", "Owner: {}",
            "The order was placed by {}.", "client {} asked for an invoice",
        ),
        "form": (
            "Name: {}\nPhone: -", "name: {}", "Full Name\t{}", "Name of applicant: {}", "Beneficiary: {}", "Cardholder: {}",
            "\"name\": \"{}\", \"email\": \"-\"", "Contact person: {}", "Emergency contact: {}", "| Name | {} |", "Student: {}", "Author: {}",
        ),
        "e-mail": (
            "From: {} <x@example.com>", "To: {} <a.b@example.org>; team", "On Mon, 3 May 2024, {} wrote:", "Dear {},", "Best wishes,\n{}\n",
            "Thanks\n{}", "Attn: {}", "Kind regards\n\n{}\nSales", "Hi {},\nplease find attached", "c/o {}",
        ),
        "clinical note": (
            "Patient {} was admitted.", "Pt: {}, 54 yo", "Seen by {} on the ward.", "Referred by {}.", "Mother: {}", "Next of kin: {}",
            "{}, a 63-year-old woman, presents with pain", "Consultant: {}", "{} (DOB 01/02/1960)", "Nurse {} notified",
        ),
        "other languages": (
            "ich bin {} aus Köln", "hier ist {}.", "mein Name ist {}", "Ansprechpartner: {}", "Kunde: {}", "je suis {}", "ici {}, bonjour",
            "soy {}", "Hablé con {} ayer.", "sono {}", "ho parlato con {}", "ik ben {}", "u spreekt met {}", "jestem {}", "sou {}, cliente",
            "falei com {} ontem", "jag är {}", "jeg er {}", "Naam: {}", "Imię i nazwisko: {}", "J'ai parlé avec {}",
        ),
    },
    addresses={
        "prose": (
            "I live at {}.", "send it to {} please", "My new address is {} since May.", "What is your address? it is {}", "we moved from {} last year",
            "The restaurant is located at {}. Great food.", "I'll meet you at {} after work.", "Wohnhaft in {}", "j'habite {}", "vivo en {}",
        ),
        "form": ("Address: {}", "Billing address:\n{}\n", "Adresse : {}", "Indirizzo: {}", "Dirección: {}", "Adres: {}", "| address | {} |"),
        "block": ("To:\n{}\n\nDear all,", "Acme Ltd\n{}\nPhone: -", "Ship to\n  {}\nthanks", "> {}\n> regards"),
    },
    others={
        "software": (
            "Visual Studio Code", "Apache Kafka", "Google Cloud", "Microsoft Teams", "Adobe Photoshop", "Red Hat", "Amazon Redshift", "Power BI",
            "Internet Explorer", "Mozilla Firefox", "Android Studio", "Windows Server", "Final Cut Pro", "Home Assistant", "Docker Desktop",
            "Ruby on Rails", "Spring Boot", "Azure DevOps", "Elastic Search", "Open Office", "Stable Diffusion", "Scikit Learn", "Hugging Face",
            "Gemini Pro", "Claude Opus", "Llama Guard", "Code Llama", "Tensor Flow", "Active Directory", "Unreal Engine", "Oracle Database",
            "Proton Mail", "Outlook Express", "Salesforce Cloud", "Jupyter Lab", "Rocky Linux", "Linux Mint", "GitHub Actions",
        ),
        "company": (
            "Wells Fargo", "Home Depot", "Best Buy", "Delta Airlines", "Bank of America", "Acme Corp", "Deutsche Bank", "American Express",
            "General Motors", "British Airways", "Whole Foods", "Burger King", "Customer Service", "Technical Support", "Human Resources",
            "Smith & Sons", "Miller Group", "Johnson PLC", "Meyer GmbH", "Rossi SpA", "Garcia LLC", "Jones Inc", "Capital One",
            "Warner Brothers", "Royal Mail", "Deutsche Telekom", "Air France", "Credit Suisse", "Western Union", "Red Cross",
            "Blue Shield", "State Farm", "United Healthcare", "Thermo Fisher Scientific", "Morgan Stanley Bank", "Sales Team", "Level Two Support",
        ),
        "place": (
            "New York", "San Francisco", "Los Angeles", "Buenos Aires", "Hong Kong", "Las Vegas", "Cape Town", "Rio de Janeiro", "Kuala Lumpur",
            "Tel Aviv", "Salt Lake City", "South Africa", "United Kingdom", "Saudi Arabia", "Sri Lanka", "Costa Rica", "North Carolina",
            "Lake Michigan", "Mount Everest", "Times Square", "Central Park", "Hyde Park", "Palo Alto", "Santa Monica", "Silicon Valley",
            "Addis Ababa", "New Delhi", "Port Louis", "Mexico City", "Puerto Rico", "West Virginia", "Notre Dame", "Baden-Baden", "Saint Lucia",
        ),
        "book, film, song": (
            "Great Expectations", "The Great Gatsby", "War and Peace", "Pulp Fiction", "Star Wars", "Breaking Bad", "Bohemian Rhapsody",
            "Moby Dick", "Brave New World", "Animal Farm", "Blade Runner", "Dune Messiah", "Purple Rain", "Hotel California", "Monday Night Football",
            "Game of Thrones", "Stranger Things", "Lord of the Rings", "Clean Code", "Deep Learning",
        ),
        "heading": (
            "Getting Started", "Release Notes", "Known Issues", "Table of Contents", "Terms and Conditions", "Privacy Policy", "Error Handling",
            "Next Steps", "Quick Start", "Data Science", "Machine Learning", "Project Plan", "Monthly Report", "Executive Summary",
            "Open Questions", "Black Friday", "Good News", "Part Two", "Chapter Three", "Plan B", "Action Items", "Root Cause", "Code Review",
        ),
        "product": (
            "Galaxy Ultra", "Air Max", "Blue Jacket", "Model Y", "Xbox Series", "Wireless Mouse", "Smart Watch", "Running Shoes", "Coffee Maker",
            "Garden Hose", "Office Chair", "Gift Card", "Premium Plan", "Starter Kit", "Family Pack", "Leather Wallet", "Gold Edition", "Pixel Fold",
        ),
        "time": ("Monday Morning", "Next Tuesday", "Christmas Eve", "New Year", "Easter Monday", "January February", "Good Friday", "March Madness"),
    },
    around=(
        "This is {}.", "this is {}, which I like", "It is called {}.", "a tool called {} that works", "I called {} yesterday", "I spoke to {} about it.",
        "We met {} people", "We talked about {}.", "The name is {}.", "name: {}", "Hello {}", "I'm {}-based", "My favourite is {}", "Welcome to {}",
        "Hi, this is {} again", "reported by {} users", "Please ask {} first", "They moved to {} last year", "Title: {}", "{} is here",
        "my {} account", "assigned to {}", "owner: {}", "see {} for more", "# {}\n\nText", "From {} to there", "the new {} was released", "It's {}!",
    ),
)  # fmt: skip


MORE_LOCALES = ("en_US", "en_GB", "en_NZ", "en_IE", "de_DE", "de_CH", "fr_FR", "fr_BE", "nl_NL", "nl_BE", "es_ES", "es_MX", "it_IT", "pl_PL",
                    "pt_BR", "da_DK", "fi_FI", "cs_CZ")  # fmt: skip
TUNED_MORE = Templates(
    phones={
        "support chat": (
            "Could an agent phone me back on {}?", "my cell's {}", "You'll get me at {} most evenings.", "I changed my number, it's {} now",
            "Send the driver's text to {} instead", "why do I get spam on {}??", "verification SMS went to {}, not to my new phone",
            "Whoever answers {} hung up on me", "hey, {} - call anytime", "reach out to me at {}", "WhatsApp me: {}", "my work phone ({}) is off today",
            "Two numbers: {} and the office",
        ),
        "ticket": (
            "Inbound call from {}, 4 min.", "Contact number: {}", "User requests callback at {}", "Left message on {}", "MSISDN {} barred",
            "Number {} ported to another carrier", "Phone of record {}", "Dialled {} three times", "Callback no. {} confirmed", "Client tel {}",
        ),
        "signature": ("Yours,\nTel {}", "mobile {} | www.example.com", "office: {}\nfax: -", "Ph. {}", "{} (home)", "{} direct", "C: {}", "Reception: {}",
                      "Phone/Fax: {}"),
        "form": ("Contact phone\n{}", "Work phone: {}", "Tel. (day): {}", "\"mobile\": \"{}\"", "mobile_no = {}", "Next of kin tel: {}", "Phone | {}",
                 "Evening: {}", "Emergency no: {}", "<phone>{}</phone>"),
        "clinical note": ("Called patient on {}, no answer.", "Results phoned through to {}.", "Carer's mobile {}", "Please ring the ward on {}",
                          "Family can be contacted at {}"),
        "German": ("Rufen Sie mich bitte unter {} zurück.", "telefonisch erreichbar: {}", "Mobil {}", "Die Nummer lautet {}", "Kontakt: {}"),
        "French": ("Je suis joignable au {}", "Tél : {}", "Contactez-nous au {}", "Numéro de portable : {}", "rappelez-moi au {}"),
        "Spanish": ("Mi teléfono es {}", "Comuníquese al {}", "puede contactarme en el {}", "cel. {}", "WhatsApp al {}"),
        "Italian": ("Può contattarmi al {}", "Telefono: {}", "cellulare {}", "numero di telefono {}"),
        "Dutch": ("Mijn telefoonnummer is {}", "Ik ben bereikbaar op {}", "Mobiel: {}", "bel {} voor vragen"),
        "Polish": ("mój telefon: {}", "proszę o kontakt pod numerem {}", "nr tel. {}", "Zadzwoń: {}"),
        "Portuguese": ("Meu celular é {}", "fone: {}", "me liga no {}", "Telefone para contato: {}"),
        "Scandinavian": ("Min telefon er {}", "Ring til mig på {}", "Tlf: {}", "Mobil: {}"),
    },
    names={
        "introduction": (
            "Hi, my name is {} and I need help.", "Hey, it's {} here.", "Good afternoon, this is {} from Unit 4.", "You're speaking with {}.",
            "I'm {}, I booked last week", "Hello there, {} calling.", "This is {}. I already sent the form.", "{} here!", "I am {} and I live next door",
            "Call me {}.",
        ),
        "talk": (
            "I had a chat with {} last week.", "Can I speak to {} please?", "I was on the phone with {} for an hour", "Please tell {} that I called.",
            "We spoke with {} on Tuesday.", "I've emailed {} but got no answer", "The man who helped me was called {}.", "asked {} for a refund",
            "according to {}, it was shipped", "A lady named {} promised a callback", "transferred me to {} in sales", "I know {} from school",
        ),
        "relation": (
            "my husband {} will pick it up", "Our daughter {} starts in May", "her brother {} signed", "my ex-wife {} still has the key",
            "his doctor, {}, says no", "My boss {} asked me to write", "their lawyer {} called", "my flatmate {} moved out",
        ),
        "ticket": (
            "Assignee: {}", "Raised by {}", "Reported by {} via phone", "Handled by {}", "Customer: {}", "Caller {} was upset", "Opened by: {}",
            "Contact {} for access", "Approved by {}", "User {} locked out", "Policy holder: {}", "Account owner: {}",
        ),
        "form": (
            "Name: {}", "Your name: {}", "First and last name: {}", "Applicant: {}", "Patient name\n{}", "Employee: {}", "\"customer\": {{\"name\": \"{}\", \"phone\": 1}}",
            "Guardian: {}", "Spouse: {}", "Signed: {}", "Recipient: {}", "Passenger: {}",
        ),
        "e-mail": (
            "Dear {},\n", "Kind regards,\n{}\n", "Cheers,\n{}", "From: \"{}\" <me@example.net>", "Cc: {} <c@example.net>", "{} wrote:\n> hello",
            "Hi {}!", "Thank you\n\n{}\nAccount manager", "Hello {} and team", "To: {}",
        ),
        "clinical note": (
            "Pt {} seen today.", "{} is a 45-year-old man with cough", "Discussed with {} (surgeon).", "Next of kin: {}", "Referring physician: {}",
            "Reviewed by {}", "Dr. {} on call", "Patient: {}, DOB 3/4/71", "Informed daughter {}.",
        ),
        "other languages": (
            "Guten Tag, mein Name ist {}.", "Ich heiße {} und brauche Hilfe", "Mit freundlichen Grüßen\n{}", "Bonjour, je m'appelle {}", "Cordialement,\n{}",
            "Hola, soy {}.", "me llamo {}", "Ciao, sono {}.", "Mi chiamo {}", "Hallo, ik ben {}", "Met vriendelijke groet,\n{}", "Nazywam się {}",
            "Pozdrawiam,\n{}", "Meu nome é {}", "Mit navn er {}", "Ich habe mit {} gesprochen", "J'ai vu {} hier", "Cliente: {}", "Herr {} hat angerufen",
            "Kunde {} beschwert sich",
        ),
    },
    addresses={
        "prose": ("We're at {} now.", "Please deliver to {} before noon.", "My mother lives at {}.", "I grew up at {}, believe it or not.", "The office moved to {}",
                  "visit us: {}", "Ich wohne jetzt in {}", "Mon adresse est {}", "Mi dirección es {}", "the accident happened outside {}."),
        "form": ("Home address: {}", "Shipping address\n{}\n", "Anschrift: {}", "Domicilio: {}", "Mailing address = {}", "\"address\": \"{}\""),
        "block": ("Jane Roe\n{}\n", "Invoice to:\n{}\n\nItem", "Regards,\nBob\n{}\nTel -", "Deliver to:\n    {}\nToday"),
    },
    others={
        "software": ("Android Auto", "Apache Airflow", "Google Maps", "Microsoft Word", "Adobe Illustrator", "Amazon Bedrock", "Internet Information Server", "Firefox Focus",
                     "Windows Defender", "Logic Pro", "Home Kit", "Docker Swarm", "Ruby Gems", "Spring Security", "Azure Functions", "Open Telemetry", "Midnight Commander",
                     "Grafana Loki", "Mistral Large", "Command Line", "Redis Streams", "Node Package Manager", "Visual Basic", "Postgres Operator", "Sublime Text",
                     "Lotus Notes", "Kali Linux", "Epic Games Launcher", "Argo Workflows", "Cloud Run"),
        "company": ("Bank of Ireland", "Southwest Airlines", "Procter & Gamble", "General Electric", "Ernst & Young", "Deutsche Post", "Air Canada", "Credit Agricole",
                    "Banco Santander", "Dunder Mifflin Paper Company", "Weyland Industries", "Nordic Shipping AB", "Rossi Costruzioni Srl", "Dupont SARL", "Taco Bell",
                    "Pizza Hut", "Dollar Tree", "Burlington Stores", "Liberty Mutual", "Virgin Media", "Thames Water", "British Gas", "Help Desk", "Billing Department",
                    "Front Desk", "Tech Support", "Quality Assurance", "Legal Team", "Electronic Arts", "Wendell Brothers"),
        "place": ("New Orleans", "San Diego", "Los Gatos", "Hong Kong Island", "Las Palmas", "Cape Cod", "Rio Grande", "Tel Aviv", "Kansas City", "South Korea", "United States",
                  "Sierra Leone", "Costa Brava", "North Dakota", "Lake Geneva", "Mount Fuji", "Union Square", "Golden Gate Park", "Santa Barbara", "Isle of Wight",
                  "Abu Dhabi", "Saint Petersburg", "Port Elizabeth", "Ivory Coast", "West Ham", "Old Trafford", "Burkina Faso", "Czech Republic", "East London", "Palm Springs"),
        "book, film, song": ("The Godfather", "Fight Club", "Jurassic Park", "The Office", "Little Women", "Crime and Punishment", "Norwegian Wood", "Imagine Dragons",
                             "Top Gun", "Inside Out", "Black Mirror", "Hunger Games", "Toy Story", "Mad Men", "Peaky Blinders", "Wuthering Heights", "Dark Side of the Moon",
                             "Design Patterns", "Harry's Game", "Sesame Street"),
        "heading": ("Change Log", "Frequently Asked Questions", "Key Takeaways", "Further Reading", "Meeting Minutes", "Risk Assessment", "Lessons Learned", "User Guide",
                    "System Requirements", "Getting Help", "Annual Review", "Quarterly Results", "Market Overview", "Cyber Monday", "Team Lunch", "Stage Three", "Option A",
                    "To Do", "In Progress", "Code Freeze", "Best Practices", "Final Exam", "Lunch Break"),
        "product": ("Galaxy Note", "Air Force One", "Red Dress", "Model S", "Nintendo Switch", "Desk Lamp", "Smart TV", "Winter Boots", "Rice Cooker", "Water Bottle",
                    "Kitchen Sink", "Day Pass", "Pro Plan", "First Aid Kit", "Value Bundle", "Silk Scarf", "Silver Membership", "Magic Keyboard"),
        "time": ("Friday Night", "Last Monday", "New Year's Day", "Thanksgiving Weekend", "Spring Break", "Ash Wednesday", "Early March", "Boxing Day", "Summer Time"),
    },
    around=(
        "This is {}!", "this is {}, as I said", "an app called {}", "It's called {}", "I called {} twice", "I talked to {} first", "We met in {}", "I spoke with {} support",
        "The title is {}.", "name = {}", "Hi {}", "I am in {} now", "I love {}", "Good morning {}", "Hello, this is {} speaking", "assigned to {} by mistake", "contact {}",
        "asked for {}", "Product: {}", "{} wrote:", "our {} is down", "owner: {}", "Topic: {}", "## {}\n", "From: {}", "my friend likes {}", "the {} one", "I'm {} certified",
    ),
)  # fmt: skip


HELD_OUT_SEED = 90210
HELD_OUT_LOCALES = ("en_US", "en_GB", "en_CA", "en_AU", "de_DE", "de_AT", "fr_FR", "fr_CH", "nl_NL", "es_ES", "it_IT", "pl_PL",
                    "pt_BR", "pt_PT", "sv_SE", "no_NO")  # fmt: skip
HELD_OUT = Templates(
    phones={
        "support chat": (
            "If the parcel is late, call or text {}.", "pls callback {}", "I'm on holiday, use my wife's number {}", "is {} really your number?", "old phone: {}",
            "It rang twice from {} today", "My landline {} has no dial tone", "the SMS code should go to {}", "you have {} as my contact, that is wrong",
            "can the technician ring me on {}?", "Please add {} to my profile as mobile",
        ),
        "ticket": ("Customer phone: {}", "Called {} - no reply", "Texted {} with the link", "Number on the account: {}", "Reach the site manager at {}", "tel={}",
                   "Missed call from {}", "Fax {} out of paper", "Forward all calls to {}"),
        "signature": ("Tel: {} / Fax: -", "T {}\nE x@example.com", "Mobile: {}", "Office {} ext. 12", "Cell {}", "{} (office)"),
        "form": ("PHONE: {}", "Telephone (home)\t{}", "cell_phone: {}", "{{\"phoneNumber\": \"{}\"}}", "Contact tel. {}", "Alternate phone {}"),
        "clinical note": ("Mother's phone {}", "Advised to call {} if worse.", "GP tel {}", "Contacted daughter on {}"),
        "other languages": ("Telefonnummer: {}", "Ruf mich unter {} an", "Handynummer {}", "mon téléphone : {}", "appelez le {}", "Llame al {}", "móvil: {}", "chiamare il {}",
                            "tel. {}", "telefoon {}", "bel naar {}", "telefon: {}", "zadzwoń pod {}", "ligue para o {}", "telefone {}", "mobilnummer {}", "ring {}"),
    },
    names={
        "introduction": ("Hello, I am {}.", "my name is {} and I am a customer since 2010", "This is {} with Northwind.", "{} here, quick question", "Hi! I'm {}, nice to meet you",
                         "it's {} from the second floor"),
        "talk": ("I spoke with {} this morning", "Talk to {} before you sign.", "I met {} at the fair.", "could you ask {} to call back", "{} from billing told me so, ask for {}",
                 "I was helped by {}", "sent by {} on Monday", "a guy called {} answered", "The invoice was issued to {}.", "on behalf of {}"),
        "relation": ("my mother {} is ill", "My partner {} and I moved", "his sister {} lives there", "my colleague {} knows", "our teacher {} left"),
        "ticket": ("Reported by: {}", "Assigned to: {}", "Agent {} closed the case", "Customer name is {}", "Requested by {}", "Client: {}", "caller {} hung up"),
        "form": ("Full name: {}", "Name : {}", "Last name, first name: {}", "Emergency contact - {}", "Contact: {}", "Patient: {}", "Cardholder name: {}"),
        "e-mail": ("Dear {},", "Best regards,\n{}", "Sincerely,\n{}\nCEO", "From: {} <n@example.com>", "Hello {},", "On Tue, {} wrote:", "Thanks,\n{}"),
        "clinical note": ("Patient {} denies pain.", "Dr {} reviewed", "{}, 71 yo, fell", "Nurse {} present", "accompanied by wife {}", "Attending: {}"),
        "other languages": ("Mein Name ist {}", "Sehr geehrte Frau {},", "Hier ist {}.", "Ich bin {}.", "Je suis {}, cliente", "Monsieur {} a appelé", "Soy {}, buenos días", "Señor {}",
                            "Sono {}.", "Gentile {},", "Beste {},", "Jestem {}.", "Sou {}.", "Jag heter {}", "Jeg er {}."),
    },
    addresses={
        "prose": ("She lives at {}.", "Please ship to {} this time", "The package went to {} by mistake", "I moved to {} in June", "our address is {} as before", "Meet me at {}?"),
        "form": ("Address\n{}\n", "Delivery address: {}", "Rechnungsadresse: {}", "Direccion: {}", "Indirizzo di spedizione: {}"),
        "block": ("John Smith\n{}\n\nDear John", "{}\nTel. -", "Return to:\n{}", "| {} |"),
    },
    others={
        "software": ("Android Things", "Apache Cassandra", "Google Sheets", "Microsoft Outlook", "Adobe Acrobat", "Amazon Athena", "Mozilla Thunderbird", "Windows Terminal",
                     "Garage Band", "Home Assistant", "Docker Compose", "Spring Cloud", "Azure Pipelines", "Open Shift", "Total Commander", "Prometheus Operator", "Cohere Command",
                     "Power Shell", "Redis Insight", "Python Package Index", "Intel Graphics Driver", "Arch Linux", "Steam Deck", "Argo Rollouts", "Cloud Build"),
        "company": ("Bank of Scotland", "Singapore Airlines", "Johnson & Johnson", "General Mills", "Deloitte Consulting", "Deutsche Bahn", "Air New Zealand", "Banco do Brasil",
                    "Initech Systems", "Umbrella Corporation", "Hansen Shipping AS", "Bianchi Srl", "Martin SA", "Burger Joint", "Office Depot", "Family Dollar", "Liberty Insurance",
                    "Sky News", "Severn Water", "Scottish Power", "Accounts Department", "Night Desk", "Customer Care", "Product Team", "Universal Studios"),
        "place": ("New Jersey", "San Jose", "Los Alamos", "Hong Kong", "Las Cruces", "Cape Verde", "Rio Negro", "Iowa City", "North Korea", "United Arab Emirates", "El Salvador",
                  "Costa del Sol", "South Dakota", "Lake Como", "Mount Kenya", "Trafalgar Square", "Victoria Station", "Santa Cruz", "Isle of Man", "Saudi Arabia", "Saint Helena",
                  "Port Said", "Gold Coast", "West Bank", "Slovak Republic"),
        "book, film, song": ("The Matrix", "Forrest Gump", "Back to the Future", "Gone Girl", "Pride and Prejudice", "Abbey Road", "Die Hard", "True Detective", "House of Cards",
                             "Space Jam", "Lost in Translation", "Top Chef", "Good Omens", "Animal Crossing", "Street Fighter", "Clean Architecture", "Paradise Lost", "Dream Theater"),
        "heading": ("Version History", "Common Problems", "Key Findings", "Related Work", "Action Points", "Cost Estimate", "Next Meeting", "Install Guide", "Hardware Requirements",
                    "Contact Us", "Financial Statement", "Sales Figures", "Market Analysis", "Summer Sale", "Phase Two", "Appendix B", "Good Practice", "Code Style", "Final Report"),
        "product": ("Galaxy Fold", "Air Fryer", "Green Tea", "Model X", "Phone Case", "Floor Lamp", "Power Drill", "Rain Coat", "Bread Maker", "Lunch Box", "Basic Plan", "Travel Kit",
                    "Bulk Order", "Cotton Shirt", "Platinum Card", "Gaming Keyboard"),
        "time": ("Sunday Evening", "Next Friday", "Mother's Day", "Labour Day Weekend", "Winter Holidays", "Late April", "Happy Hour", "Lunch Time"),
    },
    around=(
        "This is {}.", "this is {} again", "a program called {}", "they called {} yesterday", "I spoke to {}", "we spoke with {} about prices", "The film is called {}.", "I called {} to cancel",
        "spoke to {} on the phone", "It is {} now", "my favourite is {}", "I work at {}", "Hello {}!", "name: {}", "This is {}, the best one", "we use {} daily", "The new {} is here",
        "look at {}", "# {}", "moved to {}", "bought {} online", "a book called {}", "this is {} for beginners", "assigned to {}",
    ),
)  # fmt: skip


FRESH_SEED = 424242
FRESH_LOCALES = (
    "en_US",
    "en_GB",
    "en_AU",
    "en_NZ",
    "de_DE",
    "de_CH",
    "fr_FR",
    "nl_BE",
    "es_MX",
    "it_IT",
    "pl_PL",
    "pt_PT",
    "da_DK",
    "sv_SE",
)
FRESH = Templates(
    phones={
        "support chat": (
            "You may phone {} until six.", "I no longer own {}, please remove it", "My cell number changed to {} last month", "can you text me at {}?",
            "the verification call goes to {} every time", "hi, my mobile is {}", "someone keeps calling from {}", "leave me a voicemail on {}",
            "For delivery problems dial {}", "my daughter's phone is {}", "here is my number: {}", "Is there anybody at {} on Sundays?",
        ),
        "ticket": ("Mobile of the driver: {}", "Customer rang from {}", "Please call the branch, {}, before noon", "Site contact {} confirmed", "Phone no. {} not in service",
                   "SMS sent to {}", "Hotline {} overloaded", "Callback number {}"),
        "signature": ("Phone {}\nFax -", "m: {}", "Tel +/- {}", "Office phone: {}", "Direct line {}", "{} (cell)"),
        "form": ("Mobile phone number: {}", "Home telephone: {}", "\"telephone\": \"{}\"", "Fax number {}", "Best number to reach you: {}", "Work tel: {}"),
        "clinical note": ("Wife's mobile is {}", "Results to be phoned to {}", "Carer can be called on {}", "Pharmacy phone {}"),
        "other languages": ("Sie können mich unter {} anrufen", "Handy: {}", "Tel. privat {}", "Mon portable est le {}", "Téléphone domicile : {}", "Mi celular es {}", "Marque al {}",
                            "Il mio cellulare è {}", "Telefonare al {}", "Mijn gsm is {}", "Telefoonnummer: {}", "Mój numer telefonu to {}", "O meu telemóvel é {}", "Mit telefonnummer er {}",
                            "Telefonnummer {}"),
    },
    names={
        "introduction": ("Good evening, my name is {}.", "I am {} from the third floor.", "This is {}, we spoke yesterday.", "Hey, I'm {}!", "{} speaking.", "Hello, {} here."),
        "talk": ("I was talking to {} about it", "We had a meeting with {} on Monday", "Did you speak with {}?", "I got an email from {} today", "please inform {} about this",
                 "The cheque was signed by {}", "A woman called {} let me in", "I've been dealing with {} so far", "Can you transfer me to {}?"),
        "relation": ("my brother {} drove", "her husband {} agrees", "my best friend {} told me", "our nanny {} has a key", "his boss {} was there", "my grandmother {} turned ninety"),
        "ticket": ("Raised by: {}", "Assigned to {} since today", "Customer {} called twice", "Account manager: {}", "Closed by {}", "Requester {} is away", "Escalated by {}"),
        "form": ("First name, last name: {}", "Applicant name: {}", "Name of the insured: {}", "Legal guardian: {}", "Patient name: {}", "Contact name: {}", "Signature: {}"),
        "e-mail": ("Dear {},\n", "Yours sincerely,\n{}", "Best,\n{}", "To: {} <k@example.com>", "Hi {},", "On Friday {} wrote:", "Many thanks,\n{}"),
        "clinical note": ("Patient {} reports nausea.", "Seen by Dr {} today", "{}, 34 years old, with fever", "Referred by Dr. {}", "Discussed with nurse {}", "Next of kin is {}"),
        "other languages": ("Mein Name lautet {}", "Guten Tag, hier spricht {}.", "Sehr geehrter Herr {},", "Je m'appelle {}", "Madame {} est absente", "Me llamo {}", "Estimada {}:", "Mi chiamo {}",
                            "Spettabile signor {}", "Ik heet {}", "Nazywam się {}", "Chamo-me {}", "Jeg hedder {}", "Jag heter {}", "Kund: {}"),
    },
    addresses={
        "prose": ("He moved into {} last spring.", "Our shop is at {}.", "Send the invoice to {} from now on", "The fire was at {}, fortunately small.", "I was born at {}", "pick me up from {}"),
        "form": ("Residential address: {}", "Ship to: {}", "Lieferadresse: {}", "Domicilio fiscal: {}", "Adresse postale : {}"),
        "block": ("Jane Roe\n{}\n", "Sender:\n{}\nDate: -", "{}\nEmail: -", "Deliver to\n{}\n"),
    },
    others={
        "software": ("Apache Flink", "Google Docs", "Microsoft Excel", "Adobe Premiere", "Amazon Aurora", "Windows Explorer", "Android Wear", "Vault Secrets", "Azure Monitor", "Open Search",
                     "Norton Commander", "Helm Charts", "Postgres Exporter", "Home Brew", "Visual Paradigm", "Ruby Mine", "Docker Hub", "Spring Batch", "Cloud Storage", "Intel Compiler",
                     "Alpine Linux", "Final Draft", "Flux Rollbacks", "Vector Search", "Chrome Canary"),
        "company": ("Bank of Montreal", "Alaska Airlines", "Marks & Spencer", "General Dynamics", "Deutsche Boerse", "Air Berlin", "Banco Sabadell", "Stark Industries", "Hooli Corporation",
                    "Svensson Shipping AB", "Ferrari SpA", "Lefebvre SARL", "Waffle House", "Dollar General", "Mutual of Omaha", "Comcast Cable", "Thames Clippers", "Electric Ireland",
                    "Payroll Department", "Service Desk", "Sales Support", "Red Bull", "Dairy Queen", "Northern Trust", "Pacific Gas"),
        "place": ("New Hampshire", "San Antonio", "Los Cabos", "Las Vegas Strip", "Cape Coral", "Rio Rancho", "Jersey City", "North Macedonia", "United Kingdom", "Costa Blanca", "West Sussex",
                  "Lake Tahoe", "Mount Rainier", "Leicester Square", "Waterloo Station", "Santa Fe", "Isle of Skye", "South Sudan", "Saint Kitts", "Port Moresby", "Sunshine Coast", "East Anglia",
                  "Dominican Republic", "Baton Rouge", "Sioux Falls"),
        "book, film, song": ("The Shining", "Citizen Kane", "Lost Horizon", "Sense and Sensibility", "Yellow Submarine", "Raging Bull", "Twin Peaks", "House of Dragons", "Space Oddity", "Rear Window",
                             "Iron Chef", "Good Fellas", "Final Fantasy", "Mortal Kombat", "Refactoring Databases", "Brave Heart", "Paradise City", "Pink Floyd", "Radio Days", "Ocean's Eleven"),
        "heading": ("Change History", "Common Mistakes", "Main Results", "Previous Work", "Next Actions", "Budget Overview", "Site Visit", "Setup Guide", "Software Requirements", "Help Center",
                    "Balance Sheet", "Market Trends", "Winter Sale", "Phase Three", "Annex C", "Coding Standards", "Interim Report", "Weekly Digest", "Open Positions"),
        "product": ("Galaxy Buds", "Air Mattress", "Black Tea", "Model Three", "Laptop Sleeve", "Table Lamp", "Hand Drill", "Winter Coat", "Ice Maker", "Tool Box", "Gold Plan", "Repair Kit",
                    "Sample Pack", "Linen Shirt", "Debit Card", "Trackball Mouse"),
        "time": ("Saturday Night", "Next Wednesday", "Father's Day", "Easter Weekend", "Summer Holidays", "Late October", "Tea Time", "New Year's Eve"),
    },
    around=(
        "this is {}", "This is {} again!", "a service called {}", "I called {} about it", "we talked to {} last week", "I spoke with {} first", "The book is called {}.", "ask for {} at the store",
        "I'm {} trained", "It's {} today", "name: {}", "Good morning {}!", "owner: {}", "moved to {} in May", "reported by {}", "assigned to {} today", "contact {} first", "met in {}",
        "my favourite is {}", "Hello {}", "From: {}", "the name is {}", "## {}", "we switched to {}",
    ),
)  # fmt: skip


class Elsewhere:
    """All of it from one seed and one set of templates."""

    def __init__(self, seed: int, templates: Templates, locales: tuple[str, ...] = LOCALES) -> None:
        self.chance = random.Random(seed)
        self.templates = templates
        self.fakers = {locale: Faker(locale) for locale in locales}
        for number, faker in enumerate(self.fakers.values()):
            faker.seed_instance(seed + number)

    # --- values ------------------------------------------------------------------------------

    def number(self, region: str) -> phonenumbers.PhoneNumber:
        """One that the region's numbering plan knows."""
        kinds = phonenumbers.PhoneNumberType
        kind = self.chance.choice((kinds.MOBILE, kinds.FIXED_LINE))
        example = phonenumbers.example_number_for_type(region, kind)
        digits = str(example.national_number)
        while True:
            keep = self.chance.randint(2, 4)
            tail = "".join(self.chance.choice("0123456789") for _ in digits[keep:])
            made = phonenumbers.PhoneNumber(
                country_code=example.country_code,
                national_number=int(digits[:keep] + tail),
                italian_leading_zero=example.italian_leading_zero,
            )
            if phonenumbers.is_valid_number_for_region(made, region):
                return made

    def phone(self, locale: str) -> tuple[str, str]:
        """(form, number)."""
        formats = phonenumbers.PhoneNumberFormat
        form = self.chance.choice(
            (
                "international",
                "national",
                "national",
                "in a row",
                "in a row",
                "Faker",
                "dashed",
                "dotted",
            )
        )
        if form == "Faker":
            return form, self.fakers[locale].phone_number()
        number = self.number(locale[-2:])
        if form == "international":
            return form, phonenumbers.format_number(
                number, self.chance.choice((formats.INTERNATIONAL, formats.E164))
            )
        national = phonenumbers.format_number(number, formats.NATIONAL)
        digits = re.sub(r"\D", "", national)
        if form == "in a row":
            return form, digits
        if form == "national" or len(digits) > 11:
            return "national", national
        mark = "-" if form == "dashed" else "."
        if len(digits) == 8:
            return form, f"{digits[:4]}{mark}{digits[4:]}"
        cut = 4 if len(digits) == 11 else 3
        return form, mark.join((digits[:cut], digits[cut : cut + 3], digits[cut + 3 :]))

    def name(self, locale: str) -> str:
        faker = self.fakers[locale]
        first, last = faker.first_name(), faker.last_name()
        return self.chance.choice(
            (f"{first} {last}",) * 8
            + (f"{first} {self.chance.choice('ABCDEFGHJKLMRST')}. {last}", first)
        )

    def address(self, locale: str) -> tuple[str, str]:
        """(form, address): as Faker has it, or a block of lines as in presidio-research."""
        faker = self.fakers[locale]
        form = self.chance.choice(
            ("as Faker has it", "as Faker has it", "on one line", "block", "with its country")
        )
        address = faker.address()
        if form == "on one line":
            return form, re.sub(r"\s*\n\s*", ", ", address)
        if form == "with its country":
            return form, f"{address}{self.chance.choice((', ', chr(10)))}{faker.current_country()}"
        if form == "block" and locale.startswith("en"):
            unit = self.chance.choice(
                (
                    "",
                    f"Apt. {self.chance.randint(1, 999)}\n",
                    f"Suite {self.chance.randint(1, 999)}\n",
                    f"Flat {self.chance.randint(1, 99)}\n",
                )
            )
            return (
                form,
                f"{faker.building_number()} {faker.street_name()}\n{unit}{faker.city()}\n{faker.current_country()} {faker.postcode()}",
            )
        return "as Faker has it", address

    # --- texts -------------------------------------------------------------------------------

    def labelled(self, each: int) -> Iterator[tuple[str, str, str, str, int, int]]:
        """(entity, context, form, text, start, end), `each` times for every template."""
        t = self.templates
        for entity, contexts in (
            ("PHONE_NUMBER", t.phones),
            ("PERSON", t.names),
            ("LOCATION", t.addresses),
        ):
            for context, templates in contexts.items():
                for template in templates * each:
                    locale = self.chance.choice(tuple(self.fakers))
                    form, value = "", ""
                    if entity == "PHONE_NUMBER":
                        form, value = self.phone(locale)
                    elif entity == "PERSON":
                        value = self.name(locale)
                        form = "one word" if " " not in value else "full name"
                        if form == "one word" and context not in ("relation", "e-mail"):
                            value, form = f"{value} {self.fakers[locale].last_name()}", "full name"
                    else:
                        form, value = self.address(locale)
                        form = f"{locale[-2:]}, {form}"
                    before, _, after = template.partition("{}")
                    if "\n> " in after and entity == "LOCATION":
                        value = value.replace("\n", "\n> ")
                    yield (
                        entity,
                        context,
                        form,
                        before + value + after,
                        len(before),
                        len(before) + len(value),
                    )

    def negatives(self, each: int) -> Iterator[tuple[str, str]]:
        """(class, text) in which nobody is named and nothing is a number or an address."""
        for name, words in self.templates.others.items():
            for _ in range(each):
                yield (
                    name,
                    self.chance.choice(self.templates.around).format(self.chance.choice(words)),
                )
        for name, make in self.numbers().items():
            for _ in range(each):
                yield name, make()

    def numbers(self) -> dict[str, Callable[[], str]]:
        """Numbers where words of telephones and addresses are near."""
        n, chance = self.chance.randint, self.chance
        day = self.fakers["en_US"].date

        def lead() -> str:
            return chance.choice(LEADS)

        return {
            "order number by a weak word": lambda: f"{lead()}order {n(10**8, 10**10)}",
            "order number, padded": lambda: f"{lead()}ticket no. {n(0, 10**8):010}",
            "date by a weak word": lambda: (
                f"{lead()}{day(chance.choice(('%Y-%m-%d', '%d.%m.%Y', '%d/%m/%Y', '%Y%m%d')))}"
            ),
            "time by a weak word": lambda: (
                f"{lead()}{n(0, 23):02}:{n(0, 59):02}:{n(0, 59):02}.{n(0, 999):03}"
            ),
            "large number by a weak word": lambda: f"{lead()}{n(10**6, 10**9):,} people",
            "plain large number by a weak word": lambda: f"{lead()}{n(10**6, 10**8)} rows",
            "price by a weak word": lambda: f"{lead()}${n(1000, 99999)}.{n(0, 99):02}",
            "years": lambda: (
                f"office {n(1950, 1999)}-{n(2000, 2026)}, line {n(1000, 1999)}-{n(2000, 9999)}"
            ),
            "epoch by a weak word": lambda: f"{lead()}{n(1_500_000_000, 1_900_000_000)}",
            "code lines": lambda: (
                f"{chance.choice(('line', 'lines', 'at line'))} {n(1, 9999)}-{n(1, 9999)} of file {n(1, 99)}"
            ),
            "numbered heading": lambda: (
                f"{n(1, 30)} {chance.choice(('Main Features', 'Open Issues', 'New Ways to Win', 'Best Practices', 'Key Results', 'Park Rangers', 'Court Decisions', 'Road Signs', 'Place Settings', 'Hill Climbs'))}\n{n(1, 9)} more"
            ),
            "measurement": lambda: (
                f"{n(1, 900)} {chance.choice(('mg', 'km', 'MB', 'Nm', 'GB', 'kg'))} {chance.choice(('Paracetamol', 'Distance', 'RAM', 'Torque', 'Disk', 'Weight'))} {n(1, 9)}, {n(100, 999)} {n(100, 999)} units"
            ),
            "numbers of things": lambda: (
                f"{n(2, 90)} {chance.choice(('Google Drive folders', 'Street View images', 'Python Lane detectors', 'Supreme Court rulings', 'One Way tickets', 'Tree View nodes', 'Hard Drive images', 'Central Park visitors', 'Table Row selectors', 'Event Loop stalls', 'High Street shops', 'Car Park tickets'))} in {n(2000, 2026)}"
            ),
        }
