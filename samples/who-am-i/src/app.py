"""Shows what an app knows about the person who opens it."""

from datetime import datetime, timezone

from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

from . import platform
from .token import Claims, read_claims


@app("/")
async def serve(q: Q) -> None:
    if not q.client.initialized:
        q.client.initialized = True
        show_page(q)
        q.client.view = await platform.discover()
    note = ""
    if q.args.refresh:
        note = await refresh(q)
    if q.args.call:
        q.client.answer = await call_platform()
    show_person(q, note)
    show_platform(q)
    await q.page.save()


async def refresh(q: Q) -> str:
    """Wave keeps its token fresh by itself, shortly before the end; this gets another one now, as real apps do."""
    if not q.auth.refresh_token:
        return "There is nothing to refresh: nobody signed in to this app."
    try:
        await q.auth.ensure_fresh_token()
        claims = await platform.refresh(q.auth.refresh_token)
    except Exception as error:  # A sample shows every problem instead of ending.
        return f"The token could not be refreshed: {type(error).__name__}: {plain(str(error))}"
    return f"Refreshed: the new token of **{plain(claims.username)}** expires at {as_time(claims.expires_at)}."


async def call_platform() -> str:
    if not platform.may_act_for_owner():
        return "This instance is not private, so the platform gives it no token of its owner."
    try:
        claims = await platform.call_as_owner()
    except Exception as error:
        return f"The platform refused: {type(error).__name__}: {plain(str(error))}"
    return (
        f"The platform answered: this app acts for **{plain(claims.username)}**, as client "
        f"`{plain(claims.client)}`, until {as_time(claims.expires_at)}."
    )


def show_page(q: Q) -> None:
    q.page["meta"] = ui.meta_card(
        box="",
        title="Who am I?",
        theme="default",
        layouts=[
            ui.layout(
                breakpoint="xs",
                max_width="960px",
                zones=[ui.zone("header"), ui.zone("person"), ui.zone("platform")],
            )
        ],
    )
    q.page["header"] = ui.header_card(
        box="header",
        title="Who am I?",
        subtitle="What this app knows about you",
        icon="ContactCard",
        icon_color="$yellow",
    )


def show_person(q: Q, note: str) -> None:
    claims = read_claims(q.auth.access_token)
    items = [
        ui.text_xl(f"You are {plain(q.auth.username)}"),
        facts(
            "person",
            [
                ("User name", q.auth.username),
                ("Subject", q.auth.subject),
                ("Roles", ", ".join(claims.roles) or "none"),
                ("Groups", ", ".join(claims.groups) or "none"),
                ("Client", claims.client),
                ("Token expires", as_time(claims.expires_at)),
                ("Refresh token", "there" if q.auth.refresh_token else "none"),
            ],
        ),
        ui.buttons([ui.button(name="refresh", label="Refresh the token", primary=True)]),
    ]
    if note:
        items.append(ui.message_bar(type="info", text=note))
    q.page["person"] = ui.form_card(box="person", items=items)


def show_platform(q: Q) -> None:
    view: platform.PlatformView = q.client.view
    items = [ui.text_l("The platform, as the official clients find it")]
    if view.problem:
        items.append(ui.message_bar(type="error", text=plain(view.problem)))
    else:
        rows = [("Environment", view.environment), ("Issuer", view.issuer)]
        rows += [("Clients", ", ".join(view.clients))]
        rows += [(f"Service {name}", uri) for name, uri in view.services]
        items.append(facts("platform", rows))
    items.append(ui.buttons([ui.button(name="call", label="Call the platform as me")]))
    if q.client.answer:
        items.append(ui.message_bar(type="info", text=q.client.answer))
    q.page["platform"] = ui.form_card(box="platform", items=items)


def facts(name: str, rows: list[tuple[str, str]]):
    return ui.table(
        name=f"facts_{name}",
        columns=[
            ui.table_column(name="what", label="What", min_width="140px", link=False),
            ui.table_column(name="value", label="Value", min_width="480px", cell_overflow="wrap", link=False),
        ],
        rows=[ui.table_row(name=what, cells=[what, str(value or "")]) for what, value in rows],
    )


def as_time(moment: datetime | None) -> str:
    if moment is None:
        return "unknown"
    left = int((moment - datetime.now(timezone.utc)).total_seconds())
    return f"{moment:%H:%M:%S} UTC (in {left} s)"


def plain(text: str | None) -> str:
    """Wave's texts are Markdown; a name must not become formatting or a link."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|" else c for c in text or "")
