"""Reads data sets from Drive, and leaves summaries there."""

from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

from .drive import Home, acts_for_owner
from .summary import COLUMNS, as_csv, summarise


@app("/")
async def serve(q: Q) -> None:
    note = None
    try:
        home = await home_of(q)
        if q.args.data_sets:
            note = await leave_summary(q, home, q.args.data_sets[0])
        q.client.data_sets = await home.data_sets()
    except Exception as error:  # A sample shows every problem instead of ending.
        note = ui.message_bar(type="error", text=f"{type(error).__name__}: {plain(str(error))}")
    show(q, note)
    await q.page.save()


async def home_of(q: Q) -> Home:
    """Kept in `q.client`, which belongs to one visitor; `q.app` belongs to all."""
    if not acts_for_owner():
        await q.auth.ensure_fresh_token()
        q.client.token = q.auth.access_token
    if q.client.home is None:
        client = q.client
        q.client.home = await (Home.of_owner() if acts_for_owner() else Home.of_visitor(lambda: client.token))
    return q.client.home


async def leave_summary(q: Q, home: Home, name: str) -> ui.Component:
    q.client.summary = summarise(await home.read(name))
    target = f"{name.removesuffix('.csv')}.summary.csv"
    await home.write(target, as_csv(q.client.summary))
    return ui.message_bar(type="success", text=f"Left {plain(target)} in your home.")


def show(q: Q, note: ui.Component | None) -> None:
    q.page["meta"] = ui.meta_card(
        box="",
        title="Data sets",
        theme="default",
        layouts=[
            ui.layout(
                breakpoint="xs",
                max_width="960px",
                zones=[ui.zone("header"), ui.zone("data"), ui.zone("summary")],
            )
        ],
    )
    q.page["header"] = ui.header_card(
        box="header",
        title="Data sets",
        subtitle=f"In the Drive of {plain(q.auth.username)}",
        icon="Database",
        icon_color="$yellow",
    )
    items = [] if note is None else [note]
    q.page["data"] = ui.form_card(box="data", items=items + data_set_items(q.client.data_sets or []))
    if q.client.summary:
        rows = [ui.table_row(name=str(at), cells=row) for at, row in enumerate(q.client.summary)]
        columns = [ui.table_column(name=name, label=name.capitalize(), link=False) for name in COLUMNS]
        q.page["summary"] = ui.form_card(box="summary", items=[ui.table(name="columns", columns=columns, rows=rows)])


def data_set_items(data_sets: list[tuple[str, int]]) -> list[ui.Component]:
    if not data_sets:
        return [ui.text("There are no CSV files in your home. Upload one to `home/` on the Drive page of the portal.")]
    table = ui.table(
        name="data_sets",
        columns=[
            ui.table_column(name="name", label="Name", min_width="320px", link=True),
            ui.table_column(name="size", label="Bytes", min_width="100px", link=False),
        ],
        rows=[ui.table_row(name=name, cells=[name, str(size)]) for name, size in data_sets],
    )
    return [ui.text("Choose one, and a summary of it is left beside it."), table]


def plain(text: str) -> str:
    """Wave's texts are Markdown; a file's name must not become formatting or a link."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|" else c for c in text)
