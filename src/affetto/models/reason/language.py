"""Which language model a name means: an address, a folder or repository of the hub, or a card.

Naming one is asking for it: an address is never a default, and nothing is fetched from the hub but where
AFFETTO_NETWORK=1 allows it. Knows names; the models are in `endpoint`, `local` and `scripted`.
"""

from pathlib import Path

from affetto.core import catalog
from affetto.core.errors import CatalogError
from affetto.core.language import LanguageModel
from affetto.models.reason.endpoint import EndpointModel, EndpointOptions
from affetto.models.reason.local import LocalOptions, opened


def named(name: str, key: str = "") -> LanguageModel:
    """Return the language model of a name.

    Args:
        name: `http://host:port/v1#model` or `https://...` (any endpoint that speaks as OpenAI's does, and its model),
            a folder that `transformers` saved, `owner/name@revision` of the hub, or the id of a card such as
            `fake.language`.
        key: the name of the environment variable that holds the endpoint's key; never the key itself.

    Raises:
        CatalogError: it is none of these.
        MissingExtraError: a local one needs the extra `hub`.
        UnknownNameError: no card is called so.
        UnreadableError: the folder or repository holds no language model that can be read.
    """
    if "://" in name:
        url, _, model = name.partition("#")
        return EndpointModel(EndpointOptions(url=url, model=model, key=key))
    if Path(name).is_dir():
        return opened(LocalOptions(hub=name))
    if name.count("/") == 1 and "@" in name:
        hub, _, revision = name.partition("@")
        return opened(LocalOptions(hub=hub, revision=revision, network=True))
    found = catalog.load(name)
    if not isinstance(found, LanguageModel):
        raise CatalogError(
            f"{name} is no language model; name fake.language, an address (http://localhost:8000/v1#model), a folder, "
            "or owner/name@revision of the hub"
        )
    return found
