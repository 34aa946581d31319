"""Phrases that generated mail is put together from, by language.

Placeholders: ``{p}`` a product, ``{n}`` a number, ``{a}`` an amount, ``{d}`` a date, ``{t}`` a number of days.
"""

# ruff: noqa: E501, ISC004, RUF001  # prose: lines break where it reads well, and Japanese has its own brackets

from typing import NamedTuple


class Language(NamedTuple):
    """How a language writes business mail."""

    code: str
    greeting: str
    closing: str
    reply: str
    wrote: str
    subjects: tuple[str, ...]
    paragraphs: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    companies: tuple[str, ...]
    family_first: bool = False


ENGLISH = Language(
    "en",
    "Dear {name},",
    "Kind regards,",
    "RE: ",
    "From: {name}",
    (
        "Quotation {n} for {p}",
        "Order {n}: delivery on {d}",
        "Follow-up on our call about {p}",
        "Invoice {n} over {a}",
        "Renewal of the {p} contract",
        "Minutes of the meeting on {d}",
        "Question about {p} & accessories",
    ),
    (
        "thank you for taking the time to speak with us about the {p}. As agreed, I am sending you the revised figures; "
        "the total now comes to {a}, including installation and the first year of support, and the offer stays valid "
        "until {d}.",
        "Our technical team has looked at the drawings and sees no obstacle to the earlier date. The only open point is "
        "the interface to your warehouse system: could you let us know which protocol you use today & who could answer "
        'questions about it? A "yes, the usual one" is enough.',
        "With regard to order {n}, the carrier has confirmed delivery for {d}. Please make sure that somebody is at the "
        "loading bay between 8 and 11 a.m., since the crates weigh <strong> more than a forklift of the small class can "
        "lift, and let us know if the time does not suit you.",
        "I have attached the signed agreement. Two clauses were adjusted after our conversation: payment is now due "
        "within {t} days, and the penalty for late delivery is capped at {a}. If your legal department has remarks, we "
        "would be glad to receive them this week.",
        "One of your colleagues asked whether the {p} can be extended later. It can: up to four further units fit into "
        "the same cabinet, and the licence does not change. The price list for the extensions has not been published "
        "yet, but I will hold today's conditions for you until {d}.",
        "We would like to invite you to our customer day on {d}. There will be a demonstration of the new {p}, a tour "
        "of the plant and plenty of time to talk with the people who build it. Let me know how many of you would come.",
        "Please find below the answers to the questions from your last message. The response time of {n} milliseconds "
        "holds for ninety-nine of a hundred requests, the maintenance window is on Sunday mornings, and all data stays "
        "in the region that you have chosen.",
    ),
    ("Olivia", "James", "Amelia", "William", "Charlotte", "Henry", "Grace", "Daniel"),
    ("Parker", "Bennett", "O'Connor", "Hughes", "Fletcher", "Sinclair", "Marsh", "Whitfield"),
    ("Northwind Traders", "Harbour & Sons", "Blue Yonder Logistics", "Litware", "Fabrikam", "Alpine Foods"),
)
GERMAN = Language(
    "de",
    "Guten Tag {name},",
    "Mit freundlichen Grüßen",
    "AW: ",
    "Von: {name}",
    (
        "Angebot {n} über {p}",
        "Auftrag {n}: Lieferung am {d}",
        "Rückfrage zu {p}",
        "Rechnung {n} über {a}",
        "Protokoll der Besprechung vom {d}",
        "Verlängerung Ihres Vertrags für {p}",
    ),
    (
        "vielen Dank für das ausführliche Gespräch über {p}. Wie besprochen, erhalten Sie anbei das überarbeitete "
        "Angebot; der Gesamtpreis beträgt nun {a} einschließlich Montage und Einweisung, und wir halten ihn bis zum {d} "
        "aufrecht.",
        "Unsere Technik hat die Zeichnungen geprüft und sieht für den früheren Termin keine Hindernisse. Offen ist nur "
        "noch die Schnittstelle zu Ihrer Lagerverwaltung: Könnten Sie uns mitteilen, welches Protokoll Sie heute "
        "verwenden und wer Auskunft geben kann?",
        "Zum Auftrag {n} hat die Spedition die Lieferung für den {d} bestätigt. Bitte sorgen Sie dafür, dass zwischen 8 "
        "und 11 Uhr jemand an der Rampe ist, und geben Sie uns kurz Bescheid, falls die Zeit nicht passt.",
        "Der unterschriebene Vertrag liegt bei. Zwei Punkte haben wir nach unserem Gespräch angepasst: Das Zahlungsziel "
        "beträgt jetzt {t} Tage, und die Vertragsstrafe ist auf {a} begrenzt. Anmerkungen Ihrer Rechtsabteilung nehmen "
        "wir gern noch in dieser Woche entgegen.",
        "Gern laden wir Sie zu unserem Kundentag am {d} ein. Es gibt eine Vorführung von {p}, eine Führung durch das "
        "Werk und genügend Zeit für Gespräche. Sagen Sie mir bitte, mit wie vielen Personen Sie kommen möchten.",
    ),
    ("Anke", "Jürgen", "Sabine", "Matthias", "Heike", "Björn", "Käthe", "Lukas"),
    ("Müller", "Schröder", "Weiß", "Köhler", "Vogel", "Brandt", "Jäger", "Hoffmann"),
    ("Maschinenbau Größer", "Rheinwerk Technik", "Bäckerei Sommer", "Nordlicht Energie"),
)
FRENCH = Language(
    "fr",
    "Bonjour {name},",
    "Bien cordialement,",
    "RE: ",
    "De : {name}",
    (
        "Devis {n} pour {p}",
        "Commande {n} : livraison le {d}",
        "Suite à notre échange au sujet de {p}",
        "Facture {n} d'un montant de {a}",
        "Compte rendu de la réunion du {d}",
    ),
    (
        "je vous remercie de l'intérêt que vous portez à {p}. Comme convenu, vous trouverez ci-joint le devis révisé : "
        "le montant total s'élève désormais à {a}, installation et formation comprises, et l'offre reste valable "
        "jusqu'au {d}.",
        "Notre équipe technique a étudié les plans et ne voit aucun obstacle à la date avancée. Il reste à préciser "
        "l'interface avec votre logiciel de gestion d'entrepôt : pourriez-vous nous indiquer le protocole utilisé et la "
        "personne à contacter ?",
        "Concernant la commande {n}, le transporteur a confirmé la livraison pour le {d}. Merci de prévoir quelqu'un au "
        "quai entre 8 h et 11 h et de nous prévenir si ce créneau ne vous convient pas.",
        "Vous trouverez en pièce jointe le contrat signé. Deux clauses ont été modifiées après notre entretien : le "
        "délai de paiement est porté à {t} jours et les pénalités de retard sont plafonnées à {a}.",
        "Nous serions heureux de vous accueillir à notre journée clients le {d}, avec une démonstration de {p} et une "
        "visite de l'usine. Dites-moi combien de personnes vous accompagneraient.",
    ),
    ("Chloé", "Étienne", "Hélène", "François", "Zoé", "Benoît", "Agnès", "Rémi"),
    ("Lefèvre", "Moreau", "Garçon", "Dubois", "Bérenger", "Noël", "Rousseau", "Petit"),
    ("Ateliers du Léman", "Boulangerie Dupré", "Énergies de l'Ouest", "Logistique Azur"),
)
SPANISH = Language(
    "es",
    "Estimado/a {name}:",
    "Un cordial saludo,",
    "RE: ",
    "De: {name}",
    (
        "Presupuesto {n} para {p}",
        "Pedido {n}: entrega el {d}",
        "Consulta sobre {p}",
        "Factura {n} por {a}",
        "¿Confirmamos la reunión del {d}?",
    ),
    (
        "muchas gracias por su interés en {p}. Tal como acordamos, le envío el presupuesto actualizado; el total "
        "asciende ahora a {a}, con instalación y formación incluidas, y la oferta es válida hasta el {d}.",
        "Nuestro equipo técnico ha revisado los planos y no ve ningún inconveniente en adelantar la fecha. Solo queda "
        "por aclarar la conexión con su sistema de almacén: ¿podría decirnos qué protocolo utilizan y quién puede "
        "responder a nuestras preguntas?",
        "En cuanto al pedido {n}, el transportista ha confirmado la entrega para el {d}. Le rogamos que haya alguien en "
        "el muelle entre las 8 y las 11, y que nos avise si el horario no le conviene.",
        "Adjunto encontrará el contrato firmado. Hemos modificado dos cláusulas después de nuestra conversación: el "
        "plazo de pago es ahora de {t} días y la penalización por retraso se limita a {a}.",
    ),
    ("Lucía", "Íñigo", "María José", "Andrés", "Begoña", "Joaquín", "Nuria", "Ángel"),
    ("Muñoz", "García", "Ibáñez", "Peña", "Domínguez", "Castaño", "Vázquez", "Ruiz"),
    ("Viñedos del Sur", "Construcciones Ibáñez", "Óptica Señal", "Transportes Meseta"),
)
JAPANESE = Language(
    "ja",
    "{name} 様",
    "よろしくお願いいたします。",
    "RE: ",
    "差出人: {name}",
    (
        "{p}のお見積り（{n}）",
        "ご注文{n}の納品日について",
        "{d}の打ち合わせの件",
        "請求書 {n}（{a}）の送付",
    ),
    (
        "いつもお世話になっております。先日は{p}についてお時間をいただき、誠にありがとうございました。ご相談のとおり、"
        "設置費用と初年度の保守を含めた改訂版のお見積り（合計 {a}）をお送りいたします。有効期限は{d}です。",
        "技術部門で図面を確認いたしましたところ、納期の前倒しに支障はございません。残る確認事項は倉庫管理システムとの"
        "接続方法のみでございます。現在ご利用の方式と、ご担当者様をお知らせいただけますでしょうか。",
        "ご注文{n}につきまして、運送会社より{d}の納品との連絡がございました。午前8時から11時の間にお受け取りを"
        "お願いできますでしょうか。ご都合が合わない場合はお知らせください。",
        "署名済みの契約書を添付いたします。お支払い期限を{t}日以内に、遅延損害金の上限を{a}に変更しておりますので、"
        "ご確認のほどお願い申し上げます。",
    ),
    ("健一", "美咲", "大輔", "由美子", "翔太", "恵"),
    ("佐藤", "鈴木", "高橋", "渡辺", "伊藤", "小林"),
    ("株式会社みらい電機", "東海物流", "さくら食品"),
    family_first=True,
)
POLISH = Language(
    "pl",
    "Dzień dobry {name},",
    "Z wyrazami szacunku",
    "ODP: ",
    "Od: {name}",
    (
        "Oferta {n} na {p}",
        "Zamówienie {n}: dostawa {d}",
        "Pytanie dotyczące {p}",
        "Faktura {n} na kwotę {a}",
    ),
    (
        "dziękuję za rozmowę o {p}. Zgodnie z ustaleniami przesyłam poprawioną ofertę; łączna kwota wynosi teraz {a} "
        "wraz z montażem i szkoleniem, a oferta jest ważna do {d}.",
        "Nasz dział techniczny sprawdził rysunki i nie widzi przeszkód, aby przyspieszyć termin. Do wyjaśnienia "
        "pozostaje połączenie z Państwa systemem magazynowym: jakiego protokołu Państwo używają i kto może odpowiedzieć "
        "na nasze pytania?",
        "Przewoźnik potwierdził dostawę zamówienia {n} na {d}. Prosimy, aby ktoś był przy rampie między godziną 8 a 11, "
        "i o wiadomość, jeśli ten termin nie jest dogodny.",
        "W załączeniu przesyłam podpisaną umowę. Po naszej rozmowie zmieniliśmy dwa punkty: termin płatności wynosi "
        "teraz {t} dni, a kara za opóźnienie jest ograniczona do {a}.",
    ),
    ("Małgorzata", "Łukasz", "Żaneta", "Paweł", "Agnieszka", "Wojciech"),
    ("Wiśniewska", "Kowalczyk", "Dąbrowski", "Zieliński", "Król", "Górski"),
    ("Zakłady Łódzkie", "Śląskie Maszyny", "Młyn Żuławy"),
)
LANGUAGES = (ENGLISH, GERMAN, FRENCH, SPANISH, JAPANESE, POLISH)
WEIGHTS = (40, 20, 14, 12, 6, 8)
PRODUCTS = (
    "conveyor CX-200",
    "label printer LP 7",
    "Atlas CRM",
    "pallet scanner",
    "cold store door",
    "mixing unit M3",
    "pump set P-45",
    "Orbit router",
    "sorting line S8",
    "solar inverter",
)
CATEGORIES = ("Key account", "Follow up", "Contract", "Support", "Red category", "Blue category")
CUSTOM_FOLDERS = ("Inbox/Customers", "Inbox/Projects", "Archive/Contracts")
