"""FindItem: the messages of folders, filtered, sorted and paged.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/finditem-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.paging import page_of
from engine.simulator.requests import Model, attribute, children, required
from engine.simulator.restrictions import compile_restriction, item_value
from engine.simulator.soap import each
from engine.simulator.sorting import sort_items
from engine.simulator.xml import M

MODEL = Model(
    "m:ItemShape (m:IndexedPageItemView|m:FractionalPageItemView|m:SeekToConditionPageItemView|m:CalendarView"
    "|m:ContactsView)? (m:GroupBy|m:DistinguishedGroupBy)? m:Restriction? m:SortOrder? m:ParentFolderIds m:QueryString?"
)
TRAVERSALS = ("Shallow", "SoftDeleted", "Associated")
_UNSUPPORTED = (
    "SeekToConditionPageItemView",
    "GroupBy",
    "DistinguishedGroupBy",
    "QueryString",
)


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """One response message per folder."""
    traversal = attribute(request, "Traversal", TRAVERSALS)
    shape = context.shapes.compile(required(request, f"{M}ItemShape"), context.version, listed=True)
    view = request.find(f"{M}IndexedPageItemView")
    if view is None:
        view = request.find(f"{M}FractionalPageItemView")

    def one(element: etree._Element) -> bytes:
        _refuse_unsupported(request)
        wanted = compile_restriction(request.find(f"{M}Restriction"), item_value)
        mailbox, folder = context.folder(element)
        messages = list(folder.newest_first(mailbox.cn, 0)) if traversal == "Shallow" else []
        found = [message for message in messages if wanted(mailbox, message)]
        page = page_of(view, sort_items(request.find(f"{M}SortOrder"), mailbox, found))
        body = b"".join([context.shapes.render(mailbox, message, shape) for message in page.entries])
        return b"<m:RootFolder %s><t:Items>%s</t:Items></m:RootFolder>" % (page.attributes.encode(), body)

    return each("FindItem", children(request, f"{M}ParentFolderIds"), one)


def _refuse_unsupported(request: etree._Element) -> None:
    for name in _UNSUPPORTED:
        if request.find(f"{M}{name}") is not None:
            raise ResponseError("ErrorInvalidOperation", f"{name} is not supported.")
