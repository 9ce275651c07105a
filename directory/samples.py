"""Invented entries for demonstrations: 555 numbers and example addresses, so nobody takes them for help."""

from typing import TypedDict
from uuid import UUID


class Sample(TypedDict):
    """Be the columns of one invented service."""

    id: UUID
    name: str
    description_en: str
    description_fr: str
    phone: str
    url: str
    email: str
    languages: list[str]
    areas: list[str]
    visibility: str


ORGANIZATION_ID = UUID("5a3b1c00-0000-4000-8000-000000000001")
ORGANIZATION = "Sample organization (invented)"

SERVICES: tuple[Sample, ...] = (
    Sample(
        id=UUID("5a3b1c00-0000-4000-8000-000000000011"),
        name="Sample shelter – Maison exemple",
        description_en="Invented entry: emergency beds for women and gender-diverse people, day and night.",
        description_fr="Fiche inventée : lits d’urgence pour femmes et personnes de diverses identités, jour et nuit.",
        phone="+1 613 555 0111",
        url="https://shelter.example.org/",
        email="shelter@example.org",
        languages=["en", "fr"],
        areas=["ON", "QC"],
        visibility="staff",
    ),
    Sample(
        id=UUID("5a3b1c00-0000-4000-8000-000000000012"),
        name="Sample legal clinic – Clinique juridique exemple",
        description_en="Invented entry: free advice on immigration papers, wages and held documents.",
        description_fr="Fiche inventée : conseils gratuits sur l’immigration, le salaire et les papiers confisqués.",
        phone="+1 514 555 0122",
        url="https://legal.example.org/",
        email="legal@example.org",
        languages=["en", "fr", "es"],
        areas=["QC"],
        visibility="public",
    ),
    Sample(
        id=UUID("5a3b1c00-0000-4000-8000-000000000013"),
        name="Sample health centre – Centre de santé exemple",
        description_en="Invented entry: walk-in care without a health card.",
        description_fr="Fiche inventée : soins sans rendez-vous et sans carte d’assurance maladie.",
        phone="+1 604 555 0133",
        url="https://health.example.org/",
        email="health@example.org",
        languages=["en"],
        areas=["BC"],
        visibility="public",
    ),
    Sample(
        id=UUID("5a3b1c00-0000-4000-8000-000000000014"),
        name="Sample safe house (confidential) – Refuge exemple (confidentiel)",
        description_en="Invented entry: asked for by a supervisor only.",
        description_fr="Fiche inventée : seule une personne superviseure en fait la demande.",
        phone="+1 416 555 0144",
        url="https://safe.example.org/",
        email="safe@example.org",
        languages=["en", "fr"],
        areas=["ON"],
        visibility="supervisor",
    ),
)
