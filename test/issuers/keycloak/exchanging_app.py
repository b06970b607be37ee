"""Exchanges the token of whoever opens it for several audiences, and shows what the issuer answered. For tests only: it shows tokens."""

import json
import os

import httpx
from h2o_wave import Q, app, main, ui  # noqa: F401  (uvicorn serves `main`)

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
ASKED = {
    "allowed": {"audience": "reports", "scope": "openid reports"},
    "not opened to apps": {"audience": "payroll", "scope": "openid"},
    "unknown": {"audience": "nowhere", "scope": "openid"},
}


@app("/")
async def serve(q: Q) -> None:
    async with httpx.AsyncClient(timeout=10) as http:
        answers = {name: await exchange(http, q.auth.access_token, asked) for name, asked in ASKED.items()}
    q.page["answers"] = ui.form_card(box="1 1 8 8", items=[ui.text(f"```\nANSWERS {json.dumps(answers)}\n```")])
    await q.page.save()


async def exchange(http: httpx.AsyncClient, token: str, asked: dict[str, str]) -> dict[str, str]:
    response = await http.post(
        f"{os.environ['H2O_WAVE_OIDC_PROVIDER_URL']}/protocol/openid-connect/token",
        auth=(os.environ["H2O_WAVE_OIDC_CLIENT_ID"], os.environ["H2O_WAVE_OIDC_CLIENT_SECRET"]),
        data={
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "subject_token": token,
            "subject_token_type": ACCESS_TOKEN,
            "requested_token_type": ACCESS_TOKEN,
            **asked,
        },
    )
    answer = response.json()
    return {"token": answer.get("access_token", ""), "error": answer.get("error", "")}
