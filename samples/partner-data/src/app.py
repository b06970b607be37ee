"""Asks another organisation for its data, as the person who opened the app."""

from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

from .chaining import Partner, ask_as


@app("/")
async def serve(q: Q) -> None:
    if not q.client.initialized:
        q.client.initialized = True
        show_page(q)
    show_person(q)
    await q.page.save()
    await show_answer(q)
    await q.page.save()


def show_page(q: Q) -> None:
    q.page["meta"] = ui.meta_card(
        box="",
        title="Partner data",
        theme="default",
        layouts=[
            ui.layout(
                breakpoint="xs",
                max_width="960px",
                zones=[ui.zone("header"), ui.zone("here"), ui.zone("there")],
            )
        ],
    )
    q.page["header"] = ui.header_card(
        box="header",
        title="Partner data",
        subtitle="What another organisation lets you see",
        icon="ExternalBuild",
        icon_color="$yellow",
    )


def show_person(q: Q) -> None:
    q.page["here"] = ui.form_card(
        box="here",
        items=[
            ui.text_l(f"Here you are {plain(q.auth.username)}"),
            ui.buttons([ui.button(name="ask", label="Ask again", primary=True)]),
        ],
    )


async def show_answer(q: Q) -> None:
    q.page["there"] = ui.form_card(box="there", items=await answer(q))


async def answer(q: Q) -> list:
    if not q.auth.access_token:
        return [ui.message_bar(type="warning", text="Nobody signed in to this app, so it can ask for nobody.")]
    try:
        # Wave gets a new token shortly before the end of the old one.
        await q.auth.ensure_fresh_token()
        found = await ask_as(q.auth.access_token, Partner.from_environment())
    except Exception as error:  # A sample shows every problem instead of ending.
        return [ui.message_bar(type="error", text=f"{type(error).__name__}: {plain(str(error))}")]
    name = found.get("name")
    rows = [ui.table_row(name=str(key), cells=[str(key), str(value)]) for key, value in found.items()]
    return [
        ui.text_xl(f"The partner knows you as {plain(str(name))}"),
        ui.table(
            name="found",
            columns=[
                ui.table_column(name="what", label="What", min_width="140px", link=False),
                ui.table_column(name="value", label="Value", min_width="480px", cell_overflow="wrap", link=False),
            ],
            rows=rows,
        ),
    ]


def plain(text: str | None) -> str:
    """Wave's texts are Markdown; a name must not become formatting or a link."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|" else c for c in text or "")
