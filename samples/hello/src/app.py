"""Greets whoever opens it."""

import os

from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

GREETING = os.environ.get("HELLO_GREETING", "Hello")


@app("/")
async def serve(q: Q) -> None:
    if not q.client.initialized:
        q.client.initialized = True
        q.client.greetings = 0
        show_page(q)
    if q.args.greet:
        q.client.greetings += 1
    name = (q.args.name or "").strip() or "world"
    show_greeting(q, name)
    await q.page.save()


def show_page(q: Q) -> None:
    q.page["meta"] = ui.meta_card(
        box="",
        title="Hello",
        theme="default",
        layouts=[
            ui.layout(
                breakpoint="xs",
                max_width="720px",
                zones=[ui.zone("header"), ui.zone("content")],
            )
        ],
    )
    q.page["header"] = ui.header_card(
        box="header",
        title="Hello",
        subtitle="A sample app",
        icon="Emoji2",
        icon_color="$yellow",
    )


def show_greeting(q: Q, name: str) -> None:
    count = q.client.greetings
    times = "once" if count == 1 else f"{count} times"
    q.page["greeting"] = ui.form_card(
        box="content",
        items=[
            ui.text_xl(f"{GREETING}, {name}!"),
            ui.text("This sentence was written by Python and came through the Wave server."),
            ui.textbox(name="name", label="Your name", value="" if name == "world" else name),
            ui.buttons([ui.button(name="greet", label="Greet me", primary=True)]),
            ui.text_s(f"This browser was greeted {times}." if count else "Nobody was greeted yet."),
        ],
    )
