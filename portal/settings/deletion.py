"""The end of a provider: only without clients, and decided by the database."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import NN_, Message, RuleError
from portal.models import Affiliation, Provider
from portal.models.writing import rows_changed
from portal.settings import queries
from portal.settings.service import begin, tell


class HasClients(RuleError):
    """Clients come first: they are unlinked or deleted by themselves."""

    def __init__(self, count: int) -> None:
        forms = NN_(
            "The provider still has %(count)s client. Unlink or delete it first.",
            "The provider still has %(count)s clients. Unlink or delete them first.",
        )
        super().__init__(Message.counted(forms, count))


def delete_provider(session: Session, actor: Actor) -> None:
    """Delete the provider, its people's places and all that it kept; raises `HasClients`.

    The row is held from the look to the end, so a client that is being created meanwhile is
    counted first, or finds no provider.
    """
    provider_id = begin(session, actor)
    found = queries.settings(session, provider_id)
    people = queries.people_count(session, provider_id)
    gone = rows_changed(
        session,
        delete(Provider)
        .where(Provider.id == provider_id, Provider.clients_count == 0)
        .execution_options(synchronize_session=False),
    )
    if gone != 1:
        raise HasClients(found.clients_count)
    session.execute(
        delete(Affiliation).where(
            Affiliation.kind == "provider", Affiliation.tenant_id == provider_id
        )
    )
    # Its log outlives it, like that of a deleted organization.
    tell(session, actor, "provider:provider:delete", name=found.name, people=people)
