"""The accounts of a fresh sandbox."""

from dataclasses import dataclass

from taiga_pipeline.sandbox.models import User
from taiga_pipeline.sandbox.serving.auth import hash_password
from taiga_pipeline.sandbox.store import Store


@dataclass(frozen=True, slots=True)
class Person:
    """An account to be made; one without e-mail gets one at example.test."""

    username: str
    full_name: str
    email: str = ""
    is_superuser: bool = False
    verified_email: bool = True


BOT = "pipeline-bot"
DEFAULT_PEOPLE = (
    Person("admin", "Admin", is_superuser=True),
    Person(BOT, "Pipeline Bot"),
    Person("pm", "Petra Malm"),
    Person("ana", "Ana Müller"),
    Person("bob", "Bob Jones"),
    Person("chen", "陈伟"),
    Person("dora", "Dora O'Neil"),
    Person("emil", "Emil Åberg"),
    Person("fatima", "Fatima Noor"),
    Person("gita", "Gita Rao"),
    Person("hugo", "Hugo Stein"),
)


def add_person(store: Store, person: Person, password: str = "") -> User:
    """Make an account; without a password nobody can log in to it.

    Raises:
        ValueError: the user name or e-mail is taken.
    """
    email = person.email or f"{person.username}@example.test"
    with store.lock:
        for name in (person.username, email):
            if store.find_user(name) is not None:
                raise ValueError(f"there is an account {name!r} already")
        user = User(
            id=store.users.next_id(),
            username=person.username,
            email=email,
            full_name=person.full_name,
            date_joined=store.clock.tick(),
            password=hash_password(password) if password else "",
            is_superuser=person.is_superuser,
            verified_email=person.verified_email,
        )
        store.changes += 1
        return store.users.add(user)


def seed(store: Store, password: str) -> None:
    """Make the usual accounts, all with one password."""
    for person in DEFAULT_PEOPLE:
        add_person(store, person, password)
