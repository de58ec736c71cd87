"""Prompts of known templates: a set that the miner was tuned on, and one written after that.

A template is the system's text and the user's, either may be missing, with slots in braces. What fills a slot
comes from a seeded stock of sentences of which few make most of the traffic. What a person simply asks has no template.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator

from faker import Faker

STOCK = 6000
FREE = 0.12
"""Share of the prompts that people wrote themselves."""

Prompt = tuple[str, list[str]]
"""The template, `free` without one, and the system's and the user's text."""

_HELP = "You are a helpful assistant."
_RULES = """You are a support agent of Larkspur Telecom.
Answer only what concerns contracts, bills and devices of Larkspur.
If you do not know, say so and offer to call a colleague.
Answer in at most {} sentences.
Never promise a refund."""
_DOCTOR = """You are a triage assistant of a hospital.
Ask about symptoms, their duration and medication.
You do not diagnose. {}
In an emergency tell the patient to call the emergency number at once."""
_RAG = """Use the following pieces of context to answer the question at the end.
If you don't know the answer, just say that you don't know, don't try to make up an answer.

{chunks}

Question: {ask}
Helpful Answer:"""
_SHOTS = """Classify the sentiment of a review as positive, negative or neutral.

Review: The delivery was late and nobody answered.
Sentiment: negative

Review: A wonderful little lamp, warm and bright.
Sentiment: positive

Review: {para}
Sentiment:"""

TUNED: dict[str, tuple[str, str]] = {
    "constant_1": (_HELP + " You work for a travel agency and know trains, hotels and visas. Keep answers short and friendly.", "{chat}"),
    "constant_2": ("You are an expert in contract law.\nCite the paragraph that you rely on.\nAnswer in formal English.", "{chat}"),
    "constant_3": ("# Role\nYou tutor pupils in mathematics.\n\n# Rules\n- Never give the solution at once.\n- Ask one question at a time.", "{chat}"),
    "constant_4": ("Act as a senior engineer who reviews changes. Point out defects first, style last, and be brief about both.", "{chat}"),
    "constant_5": ("You are Basil, the cooking companion of the Green Pan app. Suggest recipes with what people have at home.", "{chat}"),
    "version_1": (_RULES.format(3), "{chat}"),
    "version_2": (_RULES.format(5), "{chat}"),
    "version_3": (_DOCTOR.format("You may name common causes."), "{chat}"),
    "version_4": (_DOCTOR.format("Never speculate about causes, whatever the patient asks."), "{chat}"),
    "version_5": ("", "Rewrite this e-mail so that it sounds polite and professional.\n\nE-mail:\n{para}\n\nRewritten e-mail:"),
    "version_6": ("", "Rewrite this e-mail so that it sounds short and direct.\n\nE-mail:\n{para}\n\nRewritten e-mail:"),
    "system_slot_1": ("You are the assistant of {company}. Today is {date}. Answer questions about the products of the company and nothing else.", "{chat}"),
    "system_slot_2": ("You help {name} to plan the week.\nThe calendar of today:\n{para}\nSuggest changes only when asked.", "{chat}"),
    "system_slot_3": ("Current time: {time}\nYou are a voice assistant in a car. Speak in short sentences and never read out links.", "{chat}"),
    "system_slot_4": ("You are a game master.\n<world>\n{para}\n</world>\nStay in character, and end each turn with a choice.", "{chat}"),
    "system_slot_5": ("You answer on behalf of the {department} department. Be precise, quote the handbook, and escalate what concerns personal data.", "{chat}"),
    "system_slot_6": ("The user's profile is: {sent} Adapt your answers to it, but never mention that you know it.", "{chat}"),
    "rag_1": ("", _RAG),
    "rag_2": ("You answer from documents only.", "Context:\n{chunks}\n\nQuestion:\n{ask}\n\nAnswer with the numbers of the documents in brackets."),
    "rag_3": ("", "Given the context information and not prior knowledge, answer the query.\n---------------------\n{doc}\n---------------------\nQuery: {ask}\nAnswer: "),
    "rag_4": ("Answer the user's question from these search results.\n\n{chunks}\n\nCite them as [n]. If they do not hold the answer, say so.", "{ask}"),
    "rag_5": ("", "<documents>\n{doc}\n</documents>\n\nRead the documents above and find quotes that help to answer this: {ask}"),
    "rag_6": ("", "{ask}\n\nUse only the passage below for your answer, and name the sentence that it stands in.\n\n{doc}"),
    "few_shot_1": ("", _SHOTS),
    "few_shot_2": ("", "Turn the sentence into a title.\n\nSentence: the cat sat on the mat all day\nTitle: A Day on the Mat\n\nSentence: {sent}\nTitle:"),
    "few_shot_3": ("You extract the city from an address line.", "Input: 12 Rue Lepic, 75018 Paris\nOutput: Paris\nInput: {sent}\nOutput:"),
    "few_shot_4": ("", "Answer in the style of the examples.\n\n{examples}\n\nQ: {ask}\nA:"),
    "translate_1": ("", "Translate the following text into {lang}. Keep names as they are.\n\n{para}"),
    "translate_2": ("You are a professional translator from English to {lang}. Output the translation and nothing else.", "{para}"),
    "translate_3": ("", "Traduisez le texte suivant en {lang}, sans rien ajouter :\n\n{para}"),
    "translate_4": ("", "Übersetze den folgenden Text ins Deutsche und behalte die Absätze bei:\n{doc}"),
    "translate_5": ("", "{para}\n\nTranslate the text above from {lang} to English. Reply with the translation only."),
    "extract_1": ("", "Extract all persons, places and dates from the text and return JSON with the keys persons, places, dates.\n\nText: {para}"),
    "extract_2": ("Return JSON only. The keys are: name, company, title. Use null for what the text does not say.", "{para}"),
    "extract_3": ("", "From the invoice below, give me the number, the date and the total as CSV.\n\nInvoice {id} of {date}\n{para}"),
    "extract_4": ("", "List the requirements in this specification, one a line, each beginning with REQ.\n\n'''\n{doc}\n'''"),
    "judge_1": ("", "You are comparing a submitted answer to an expert answer.\n[Question]: {ask}\n[Expert]: {sent}\n[Submission]: {para}\nIs the submission factually consistent with the expert answer? Reply with Y or N."),
    "judge_2": ("", "Does the following message break our community guidelines? Answer yes or no, then give one reason.\n\nMessage: {para}"),
    "minutes": ("", "Write minutes of this meeting.\nDate: {date}\nParticipants: {name}, {name} and {name}\n\nTranscript:\n{turns}\n\nEnd with a list of decisions and who does what until when."),
    "summary": ("", "Summarize the following article in {n} bullet points for {audience}:\n\n{doc}\n\nBullet points:"),
    "write_1": ("", "Write a product description for {thing}.\nTone: {tone}\nLength: about {hundreds} words\nMention that delivery is free."),
    "write_2": ("", "Draft a reply to this customer review, thank the customer by name and do not offer a discount. Customer: {name}. Review: {para}"),
    "write_3": ("You write posts for a company blog. Use short paragraphs, no emojis, and close with a question.", "Topic: {sent}\nKeywords: {word}, {word}, {word}"),
    "code_1": ("", "Explain what this function does, line by line.\n\n```python\n{code}\n```"),
    "code_2": ("", "Write unit tests with pytest for the code below. Cover the edge cases and do not change the code.\n\n```python\n{code}\n```\n\nTests:"),
    "code_3": ("You are an SQL generator. The dialect is PostgreSQL 15. The schema is:\n{para}\nReturn one statement without explanation.", "{ask}"),
    "optional": ("", "Answer the letter of a citizen to the city council.\n{maybe}Letter:\n{para}\nSign as: City Council, Citizens' Office"),
    "alike_1": (_HELP, "Read the text and tell me which arguments the author makes.\n\n{para}"),
    "alike_2": (_HELP, "Read the text and tell me what the author leaves out.\nName three things at most.\n\n{para}"),
    "alike_3": (_HELP, "Read the text and turn it into a dialogue between two friends.\n\n{para}"),
    "alike_4": (_HELP, "Read the text and write down five questions that a teacher could ask about it.\n\n{para}"),
    "agent": ("Answer the question as best you can. You have access to these tools: search, calculator, calendar.\nUse this format:\nThought: what to do next\nAction: the tool\nObservation: what it returned\nFinal Answer: the answer", "Question: {ask}\n{scratch}Thought:"),
}  # fmt: skip

HOLD_OUT: dict[str, tuple[str, str]] = {
    "bank": ("You are Nora, the assistant of a savings bank. Greet the customer by name: {name}.\nNever give advice on shares.\nOffer an appointment when a loan is mentioned.", "{chat}"),
    "radio": ("", "Write a radio spot of {n} seconds for {thing}. It ends with the jingle of the station.\n\nWhat the client told us: {para}"),
    "triage": ("", "Ticket {id}\nReceived: {date}\n\n{para}\n\nWhich team takes this ticket? Answer with one of: network, billing, hardware, other."),
    "quiz": ("You write quizzes for a museum. Each question has four answers, of which one is right. Mark it with an asterisk.", "Make {n} questions about this exhibit:\n{doc}"),
    "tone": ("", "Change the tone of the message below to {tone}, keep its meaning and its length.\n\nMessage:\n{para}"),
    "recipe": ("", "I have {word}, {word} and {word} in the fridge. Suggest three dishes that take less than half an hour, with a shopping list for each."),
    "contract": ("Compare the two clauses. Say what changes for the tenant, and quote the words that matter.", "Clause A:\n{para}\n\nClause B:\n{para}"),
    "weather": ("", "Turn these measurements into a weather report for the evening news, without numbers.\n```\n{code}\n```"),
    "hr": ("", "Summarise the application of {name} for the hiring manager.\nPosition: {sent}\nLetter:\n{doc}\nName two strengths and one doubt."),
    "support_a": ("You handle returns for an online shop. The customer may return goods within 14 days. Reply in the customer's language.", "{chat}"),
    "support_b": ("You handle returns for an online shop. The customer may return goods within 30 days. Reply in the customer's language.", "{chat}"),
    "legal_rag": ("", "Sources:\n{chunks}\n\nAnswer the question of law from the sources above; cite every sentence.\nQuestion: {ask}"),
    "chain": ("You plan before you act. Write a numbered plan first, then carry out the first step only.", "Goal: {sent}\nWhat has been done so far:\n{turns}"),
    "subtitle": ("", "Shorten each line to at most 40 characters for subtitles. Keep the number of lines.\n\n{turns}"),
    "review": ("", "Here is a change to our code base:\n\n```diff\n{code}\n```\n\nDoes it introduce a security problem? Start with yes or no."),
    "glossary": ("You translate manuals into {lang}. Use this glossary: {word} = {word}, {word} = {word}. Leave part numbers alone.", "{para}"),
    "email": ("", "From: {name}\nSubject: {sent}\n\n{para}\n\n---\nIs this e-mail spam, a newsletter or personal? Answer with one word."),
    "poem": ("", "Compose a short poem for {name}'s birthday in which the word {word} comes up twice."),
}  # fmt: skip
"""Written after the miner was tuned, and not tuned on."""

_CLOSED = {
    "lang": ["German", "French", "Spanish", "Italian", "Dutch", "Polish", "Czech", "Danish", "Greek", "Turkish", "Japanese", "Korean"],
    "tone": ["playful", "sober", "warm", "expert", "urgent", "ironic", "poetic"],
    "department": ["legal", "human resources", "sales", "procurement", "facilities", "payroll", "IT"],
    "audience": ["managers", "children", "engineers", "the press", "new customers", "students"],
    "thing": ["a desk lamp", "running shoes", "an oak table", "a kettle", "a rain coat", "a tent", "a violin"],
    "hundreds": ["50", "80", "100", "150", "200", "250", "300"],
    "n": list("3456789"),
}  # fmt: skip
_SLOT = re.compile(r"\{(\w+)\}")
_CHAT = ("Can you tell me ", "How do I ", "", "", "", "Please ", "I think ", "Why ", "hello, ", "What about ")  # fmt: skip


class Prompts:
    """Prompts of a set of templates, from a seed."""

    def __init__(self, templates: dict[str, tuple[str, str]], seed: int) -> None:
        faker = Faker("en_US")
        faker.seed_instance(2026)
        self._stock = [faker.sentence(nb_words=11) for _ in range(STOCK)]
        self._words = sorted(
            {word for one in self._stock for word in one.lower().strip(".").split()}
        )
        self._names = [faker.first_name() for _ in range(400)]
        self._companies = [faker.company() for _ in range(200)]
        self._random = random.Random(seed)
        self._templates = templates
        self._labels = list(templates)
        self._random.shuffle(self._labels)
        pick = self._random
        self._slots: dict[str, Callable[[], str]] = {
            "chat": self._chat, "sent": self._sentence, "doc": self._doc, "chunks": self._chunks,
            "turns": self._turns, "examples": self._examples, "maybe": self._maybe,
            "scratch": self._steps, "code": self._code,
            "ask": lambda: self._sentence().rstrip(".") + "?",
            "para": lambda: self._sentences(2, 6),
            "date": lambda: f"2026-{pick.randint(1, 12):02}-{pick.randint(1, 28):02}",
            "time": lambda: f"{pick.randint(0, 23):02}:{pick.randint(0, 59):02}",
            "id": lambda: f"{pick.randint(10_000, 99_999)}",
            "name": lambda: pick.choice(self._names),
            "company": lambda: pick.choice(self._companies),
            "word": lambda: pick.choice(self._words),
        }  # fmt: skip
        self._weights = [1 / (place + 3) for place in range(len(self._labels))]

    def take(self, count: int) -> Iterator[Prompt]:
        """So many prompts."""
        for _ in range(count):
            if self._random.random() < FREE:
                yield "free", [self._chat()]
                continue
            label = self._random.choices(self._labels, self._weights)[0]
            texts = [_SLOT.sub(self._fill, one) for one in self._templates[label]]
            yield label, [one for one in texts if one]

    def _sentence(self) -> str:
        place = int(STOCK * self._random.random() ** 2)  # the first ones come more often
        return self._stock[place]

    def _sentences(self, least: int, most: int) -> str:
        return " ".join(self._sentence() for _ in range(self._random.randint(least, most)))

    def _chat(self) -> str:
        begin = self._random.choice(_CHAT)
        text = begin + self._sentences(1, 3)
        return text if self._random.random() < 0.8 else text + "\n\n" + self._sentences(1, 4)

    def _fill(self, slot: re.Match[str]) -> str:
        if slot[1] in _CLOSED:
            return self._random.choice(_CLOSED[slot[1]])
        return self._slots[slot[1]]()

    def _doc(self) -> str:
        return "\n\n".join(self._sentences(3, 7) for _ in range(self._random.randint(1, 4)))

    def _chunks(self) -> str:
        count = self._random.randint(2, 5)
        return "\n\n".join(f"[{n + 1}] {self._sentences(2, 5)}" for n in range(count))

    def _turns(self) -> str:
        count = self._random.randint(3, 9)
        lines = (
            f"{self._random.choice(self._names)}: {self._sentences(1, 2)}" for _ in range(count)
        )
        return "\n".join(lines)

    def _examples(self) -> str:
        chosen = self._random.sample(range(10), 3)
        return "\n\n".join(f"Q: {self._stock[-n - 1]}\nA: {self._stock[-n - 20]}" for n in chosen)

    def _steps(self) -> str:
        step = "Thought: {}\nAction: search\nObservation: {}\n"
        count = self._random.randint(0, 3)
        return "".join(step.format(self._sentence(), self._sentence()) for _ in range(count))

    def _code(self) -> str:
        name, one, two, three = (self._random.choice(self._words) for _ in range(4))
        return f"def {name}({one}):\n    {two} = {three} + {one}\n    return {three}({two})"

    def _maybe(self) -> str:
        said = "The council has decided on this matter already; say so kindly.\n"
        return said if self._random.random() < 0.5 else ""
