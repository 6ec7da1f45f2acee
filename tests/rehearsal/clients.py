"""Plain clients that say exactly what a test wants said: `requests` with nothing of our adapters in between."""

import time
import uuid
from typing import Any

import jwt
import requests

from lists.rehearsal import CREDENTIALS, Rehearsal

PHONES = [f"+120255501{n:02}" for n in range(100)]  # +1 202-555-01xx is kept free for examples


def _request(method: str, url: str, **options: Any) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.request(method, url, **{"timeout": 30, "allow_redirects": False, **options})


class KoreClient:
    app = CREDENTIALS["kore"]["app_id"]

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.root = rehearsal.base_urls["kore"]

    def token(self, secret: str = CREDENTIALS["kore"]["client_secret"], algorithm: str = "HS256", **claims: Any) -> str:
        """A good token with `claims` written over it; a claim that is None is left out."""
        now = int(time.time())
        payload = {"sub": "tests", "appId": CREDENTIALS["kore"]["client_id"], "iat": now - 30, "exp": now + 300}
        payload |= {"jti": uuid.uuid4().hex, **claims}
        return jwt.encode({name: value for name, value in payload.items() if value is not None}, secret, algorithm)

    def headers(self, **changes: str | None) -> dict[str, str]:
        given = {
            "auth": self.token(),
            "iid": self.app,
            "accountId": CREDENTIALS["kore"]["account_id"],
            **changes,
        }
        return {name: value for name, value in given.items() if value is not None}

    def __call__(self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any) -> Any:
        return _request(method, self.root + path, headers=self.headers() if headers is None else headers, **options)

    def lists(self, method: str, rest: str, base: str = "/agentassist/api/v1", **options: Any) -> requests.Response:
        return self(method, f"{base}/public/{self.app}/campaign/contactList/{rest}", **options)

    def create(self, name: str = "callbacks", **changes: Any) -> requests.Response:
        body = {"name": name, "description": "week 7", "source": "passiveApi", **changes}
        return self.lists("POST", "createContactList", json={k: v for k, v in body.items() if v is not None})

    def add(self, name: str, phones: list[str], **options: Any) -> requests.Response:
        body = {"contact_list_name": name, "data": [{"phoneNumber": phone} for phone in phones]}
        return self.lists("POST", "addContacts", "/api/1.1", json=body, **options)

    def book(self, method: str, rest: str = "", **options: Any) -> requests.Response:
        return self(method, f"/agentassist/api/v1/public/{self.app}/contacts{rest}", **options)

    def import_csv(self, text: str) -> requests.Response:
        return self.book("POST", "/import-contacts", files={"result_file": ("contacts.csv", text.encode())})


class LeadLexClient:
    def __init__(self, rehearsal: Rehearsal, key: str = CREDENTIALS["leadlex"]["api_key"]) -> None:
        self.root, self.key = rehearsal.base_urls["leadlex"], key

    def __call__(
        self, method: str, path: str, headers: dict[str, str] | None = None, **options: Any
    ) -> requests.Response:
        given = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        return _request(method, f"{self.root}/v1{path}", headers=given, **options)

    def list_id(self, name: str = "callbacks") -> str:
        return self("POST", "/lists", json={"name": name}).json()["data"]["id"]

    def contact_ids(self, phones: list[str]) -> list[str]:
        rows = [{"full_name": f"Mara Quist {phone}", "phone": phone} for phone in phones]
        answer = self("POST", "/contacts/bulk", json={"contacts": rows}).json()
        return [contact["id"] for contact in answer["data"]["contacts"]]

    def add(self, list_id: str, ids: list[Any], **options: Any) -> requests.Response:
        return self("POST", f"/lists/{list_id}/contacts", json={"contact_ids": ids}, **options)


class ExotelClient:
    def __init__(self, rehearsal: Rehearsal) -> None:
        self.root = rehearsal.base_urls["exotel"]
        self.sid = CREDENTIALS["exotel"]["account_sid"]
        self.auth = (CREDENTIALS["exotel"]["api_key"], CREDENTIALS["exotel"]["api_token"])

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.root}/v2/accounts/{options.pop('sid', self.sid)}{path}"
        return _request(method, url, **{"auth": self.auth, **options})

    def list_sid(self, name: str = "callbacks") -> str:
        return self("POST", "/lists", json={"lists": [{"name": name}]}).json()["response"][0]["data"]["sid"]

    def contact_sids(self, phones: list[str]) -> list[str]:
        answer = self("POST", "/contacts", json={"contacts": [{"number": phone} for phone in phones]}).json()
        return [item["data"]["sid"] for item in answer["response"]]

    def add(self, list_sid: str, sids: list[str], **options: Any) -> requests.Response:
        body = {"contact_references": [{"contact_sid": sid} for sid in sids]}
        return self("POST", f"/lists/{list_sid}/contacts", json=body, **options)

    def upload(self, text: str, method: str = "POST", rest: str = "", **fields: str) -> requests.Response:
        given = {"list_name": "from a file", "type": "static", **fields}
        files = {"file_name": ("contacts.csv", text.encode())}
        return self(method, f"/contacts/csv-upload{rest}", data=given, files=files)
