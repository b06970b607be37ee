"""Keeps files on a volume."""

import tempfile
from urllib.parse import quote

from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

from . import store


@app("/")
async def serve(q: Q) -> None:
    if not q.client.initialized:
        q.client.initialized = True
        show_page(q)
    note = await act(q)
    show_upload(q, note)
    show_files(q)
    await q.page.save()


async def act(q: Q) -> ui.Component | None:
    """Does what the person asked for; returns what to tell them."""
    try:
        if q.args.uploads:
            names = [await take(q, path) for path in q.args.uploads]
            return ui.message_bar(type="success", text=f"Kept {', '.join(plain(name) for name in names)}.")
        if q.args.delete:
            chosen = q.args.files or []
            for name in chosen:
                store.remove(name)
            return ui.message_bar(type="info", text=f"Deleted {len(chosen)}.")
        if q.args.download:
            return await offer(q, q.args.files or [])
    except (OSError, ValueError) as error:
        return ui.message_bar(type="error", text=plain(str(error)))
    return None


async def take(q: Q, path: str) -> str:
    """From Wave's file store to the volume."""
    with tempfile.TemporaryDirectory() as folder:
        name = store.keep(await q.site.download(path, folder))
    await q.site.unload(path)
    return name


async def offer(q: Q, names: list[str]) -> ui.Component:
    """Wave serves files only from its own store, so what is asked for is put there first."""
    if not names:
        return ui.message_bar(type="warning", text="Choose files first.")
    paths = await q.site.upload([str(store.place_of(name)) for name in names])
    links = [f"[{plain(name)}]({quote(path)})" for name, path in zip(names, paths)]
    return ui.message_bar(type="success", text="Ready: " + ", ".join(links))


def show_page(q: Q) -> None:
    q.page["meta"] = ui.meta_card(
        box="",
        title="Files",
        theme="default",
        layouts=[
            ui.layout(
                breakpoint="xs",
                max_width="960px",
                zones=[ui.zone("header"), ui.zone("upload"), ui.zone("files")],
            )
        ],
    )
    q.page["header"] = ui.header_card(
        box="header",
        title="Files",
        subtitle="Kept on a volume of this instance",
        icon="OpenFolderHorizontal",
        icon_color="$yellow",
    )


def show_upload(q: Q, note: ui.Component | None) -> None:
    items = [ui.file_upload(name="uploads", label="Upload", multiple=True, height="160px")]
    if note is not None:
        items.append(note)
    q.page["upload"] = ui.form_card(box="upload", items=items)


def show_files(q: Q) -> None:
    files = store.all_files()
    if not files:
        q.page["files"] = ui.form_card(box="files", items=[ui.text("There are no files yet. Upload one above.")])
        return
    q.page["files"] = ui.form_card(
        box="files",
        items=[
            ui.table(
                name="files",
                multiple=True,
                columns=[
                    ui.table_column(name="name", label="Name", min_width="320px", sortable=True, link=False),
                    ui.table_column(name="size", label="Size", min_width="100px", link=False),
                    ui.table_column(name="changed", label="Changed", min_width="160px", link=False),
                ],
                rows=[
                    ui.table_row(
                        name=file.name,
                        cells=[file.name, store.human_size(file.size), f"{file.changed:%Y-%m-%d %H:%M}"],
                    )
                    for file in files
                ],
            ),
            ui.buttons(
                [
                    ui.button(name="download", label="Download", primary=True),
                    ui.button(name="delete", label="Delete"),
                ]
            ),
        ],
    )


def plain(text: str) -> str:
    """Wave's texts are Markdown; a file's name must not become formatting or a link."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]()<>#+!|" else c for c in text)
