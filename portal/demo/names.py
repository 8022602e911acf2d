"""Names for the demo: companies, people, addresses, in the language of the demo."""

import random
import unicodedata
from collections import Counter
from dataclasses import dataclass

from portal.domain.names import NAME_LIMIT


@dataclass(frozen=True)
class Words:
    """What names are made of. `companies` are patterns over last, other, trade and place."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    trades: tuple[str, ...]
    places: tuple[str, ...]
    companies: tuple[str, ...]
    billing: tuple[str, ...]


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(","))


ENGLISH = Words(
    first=_words(
        "Ada, Amir, Beatrix, Bláithín, Cian, Chloë, Dara, Dev, Eilidh, Esmé, Farah, Finn, Grace, "
        "Hamza, Imogen, Ines, Jonas, Kofi, Leila, Maeve, Marek, Nia, Noah, Oisín, Olga, Priya, "
        "Renée, Ruairí, Saoirse, Seán, Tamsin, Tomás, Uma, Victor, Wren, Yusuf, Zara, Zoë"
    ),
    last=_words(
        "Abbott, Adeyemi, Ashworth, Brontë, Byrne, Calloway, Chaudhry, Davenport, Dvořák, "
        "Ellison, Fairweather, Gallagher, Hargreaves, Haugen, Iyer, Jónsson, Kaur, Kowalski, "
        "Lindqvist, Lowe, Mbeki, Muñoz, Nakamura, Ó Briain, O'Connor, Okafor, Osgood, Pemberton, "
        "Petrović, Quinn, Rasmussen, Ridley, Sørensen, Stanhope, Thackeray, Tremblay, Underwood, "
        "Vance, Whitlock, Yilmaz, Zelenka"
    ),
    trades=_words(
        "Architects, Bakery, Brewing, Carpentry, Chartered Surveyors, Cycles, Dental Care, "
        "Electrical, Estate Agents, Farms, Foods, Freight, Furniture, Garden Centre, Glassworks, "
        "Health, Home Care, Hotels, Insurance Brokers, Joinery, Legal, Logistics, Marine, Media, "
        "Nurseries, Opticians, Pharmacy, Plumbing, Printing, Recruitment, Roofing, School, "
        "Solar, Solicitors, Studios, Textiles, Timber, Travel, Veterinary Clinic, Wealth"
    ),
    places=_words(
        "Abbey Road, Ashford, Birch Hill, Bridgewater, Canal Street, Castle Hill, Cornerstone, "
        "Dunmore, Eastgate, Elm Park, Fernside, Glenview, Greenfield, Harbour Street, High Peak, "
        "Highgate, Kingfisher, Lakeside, Mill Lane, Moorland, Northwind, Oakwood, Orchard, "
        "Pinewood, Quayside, Redstone, Riverside, Rosewood, Saltmarsh, Seaview, Silverdale, "
        "Southbank, Stonebridge, Thornbury, Uplands, Valley, Westmoor, Whitecliff, Willow, York"
    ),
    companies=(
        "{place} {trade}",
        "{last} {trade}",
        "{last} & {other}",
        "{last} & {other} {trade}",
        "{place} {trade} Ltd",
    ),
    billing=_words("accounts, billing, finance, office"),
)
FRENCH = Words(
    first=_words(
        "Adèle, Aïcha, Amaury, Anaïs, Béatrice, Benoît, Camille, Cédric, Chloé, Clémence, "
        "Driss, Éléonore, Élise, Émile, Fanny, Félix, François, Gaëlle, Hélène, Inès, Jérôme, "
        "Joël, Karim, Léa, Loïc, Maëlys, Mathéo, Mehdi, Noémie, Océane, Rémi, Salomé, Sébastien, "
        "Théo, Valérie, Yann, Zoé"
    ),
    last=_words(
        "Aubert, Barthélemy, Béranger, Besançon, Boulanger, Chevalier, Cœur, Delacroix, Diallo, "
        "Dupré, Étienne, Évrard, Faÿ, Fournier, Garçon, Gérard, Giraud, Hébert, Joly, Kaïd, "
        "Lacroix, Lefèvre, Lemaître, L'Hôte, Marchand, Méreau, Moreau, N'Guyen, Noël, Pétillon, "
        "Poirier, Prévost, Renard, Saint-Aubin, Sénéchal, Thévenet, Traoré, Vasseur, Zeghoudi"
    ),
    trades=_words(
        "Agence, Ateliers, Boulangerie, Brasserie, Cabinet, Clinique, Conserverie, Domaine, "
        "Ébénisterie, École, Fonderie, Fromagerie, Garage, Horlogerie, Hôtel, Imprimerie, "
        "Jardinerie, Laboratoire, Librairie, Logistique, Maison, Marbrerie, Menuiserie, "
        "Messagerie, Optique, Papeterie, Pépinières, Pharmacie, Quincaillerie, Scierie, Serres, "
        "Société, Studio, Textiles, Transports, Verrerie, Vignobles"
    ),
    places=_words(
        "des Alpilles, de l'Aubrac, de la Baie, du Béarn, de Bréhat, des Cévennes, du Château, "
        "de la Côte, de la Forêt, du Grand Chêne, de la Gare, des Halles, de l'Île, du Jura, "
        "des Lices, de la Loire, du Marché, du Midi, de la Montagne, de l'Océan, du Parc, "
        "du Phare, de la Place, du Port, des Prés, du Quai, des Remparts, de la Rivière, "
        "de Sainte-Énimie, de la Vallée, du Vieux Moulin, des Vosges"
    ),
    companies=(
        "{trade} {place}",
        "{trade} {last}",
        "{last} & {other}",
        "{trade} {last} et Fils",
        "{trade} {place} SAS",
    ),
    billing=_words("comptabilite, facturation, gestion, contact"),
)


@dataclass(frozen=True)
class Someone:
    name: str
    email: str


class Names:
    """Invents names; `rng` decides, so one seed gives one set of names."""

    def __init__(self, rng: random.Random, locale: str) -> None:
        self._rng = rng
        self.words = FRENCH if locale == "fr" else ENGLISH
        self._domains: Counter[str] = Counter()

    def company(self) -> str:
        """A name of at most 50 characters; not always a new one."""
        words, choice = self.words, self._rng.choice
        name = choice(words.companies).format(
            last=choice(words.last),
            other=choice(words.last),
            trade=choice(words.trades),
            place=choice(words.places),
        )
        return name[:NAME_LIMIT].rstrip()

    def domain(self, company: str) -> str:
        """A domain of its own in the top level that no mail ever reaches (RFC 2606)."""
        label = plain(company)
        self._domains[label] += 1
        count = self._domains[label]
        return f"{label}{count if count > 1 else ''}.example"

    def person(self, domain: str, taken: set[str]) -> Someone:
        """Somebody at `domain` whose address is not in `taken`; adds it there."""
        first, last = self._rng.choice(self.words.first), self._rng.choice(self.words.last)
        local, number = f"{plain(first)}.{plain(last)}", 1
        email = f"{local}@{domain}"
        while email in taken:
            number += 1
            email = f"{local}{number}@{domain}"
        taken.add(email)
        return Someone(f"{first} {last}", email)


_LETTERS = str.maketrans({"ø": "o", "œ": "oe", "&": " and ", "'": ""})


def plain(text: str) -> str:
    """`text` in ASCII letters, digits and hyphens, as one writes it in an address."""
    folded = unicodedata.normalize("NFKD", text.lower().translate(_LETTERS))
    kept = "".join(char if char.isalnum() else " " for char in folded if char.isascii())
    return "-".join(kept.split())
