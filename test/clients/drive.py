"""Uses every public method of the unmodified h2o-drive 5.x; prints what came back as JSON.

Environment: H2O_CLOUD_ENVIRONMENT, H2O_CLOUD_CLIENT_PLATFORM_TOKEN (the client finds them itself), WORKSPACE, PEER_TOKEN (another person's
access token), and settings of AWS that the client must not heed.
"""

import asyncio
import hashlib
import json
import os
import tempfile
import urllib.error
import urllib.request

import botocore.exceptions
import h2o_drive

keys = ["plain.txt", "a b+c&d=e.txt", "ünï/☃.txt", "dots/../x/./y", "per%cent", "quote'\"<>", "tab\tnew\nline", "a//b", "~-_.!*()"]
some = ["a b+c&d=e.txt", "dots/../x/./y"]


def refusal(error):
    return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]


async def refused(call):
    try:
        await call
    except botocore.exceptions.ClientError as error:
        return refusal(error)
    return "none"


async def use(bucket, folder, keys):
    small, large, empty = (os.path.join(folder, name) for name in ("small", "large", "empty"))
    with open(small, "wb") as file:
        file.write(b"hello drive")
    with open(large, "wb") as file:
        for _ in range(21):
            file.write(os.urandom(1024 * 1024))
    open(empty, "wb").close()
    out = os.path.join(folder, "out")
    sums = lambda name: hashlib.sha256(open(name, "rb").read()).hexdigest()
    found = {"before": len(await bucket.list_objects())}
    same = []
    for key, file in [*((key, small) for key in keys), ("large.bin", large), ("empty", empty)]:
        await bucket.upload_file(file, key)
        await bucket.download_file(key, out)
        same.append(sums(out) == sums(file))
    found["same"] = all(same) and len(same)
    found["listed"] = sorted(item.key for item in await bucket.list_objects()) == sorted([*keys, "large.bin", "empty"])
    found["sizes"] = sorted({item.size for item in await bucket.list_objects()})
    found["prefix"] = [item.key for item in await bucket.list_objects("dots/")]
    sub = bucket.with_prefix("sub/")
    await sub.upload_file(small, "one")
    await sub.download_file("one", out)
    found["sub"] = [sums(out) == sums(small), [item.key for item in await sub.list_objects()], sub.name == bucket.name]
    url = await bucket.generate_presigned_url("a b+c&d=e.txt")
    found["presigned"] = urllib.request.urlopen(url).read().decode()
    found["sub presigned"] = urllib.request.urlopen(await sub.generate_presigned_url("one", duration_seconds=60)).read().decode()
    try:
        urllib.request.urlopen(url.replace("a%20b", "a%20c"))
    except urllib.error.HTTPError as error:
        found["re-scoped"] = error.code
    await sub.delete_object("one")
    await sub.delete_object("one")
    found["missing"] = await refused(bucket.download_file("never", out))
    for key in [*keys, "large.bin", "empty"]:
        await bucket.delete_object(key)
    found["after"] = len(await bucket.list_objects())
    return found


async def main():
    drive = h2o_drive.connect()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "own": await use(drive.user_bucket(), folder, keys),
            "default": await use(drive.workspace_bucket("default"), folder, some),
            "workspace": await use(drive.workspace_bucket(f"workspaces/{os.environ['WORKSPACE']}"), folder, some),
            "elsewhere": await refused(drive.workspace_bucket("00000000-0000-4000-8000-00000000dead").list_objects()),
        }
        home = drive.user_bucket().with_prefix(h2o_drive.Space.HOME.prefix())
        await home.upload_file(os.path.join(folder, "small"), "mine")
        found["home"] = [item.key for item in await drive.user_bucket().list_objects()]
        peer = h2o_drive.connect(token_provider=lambda: os.environ["PEER_TOKEN"])
        found["peer"] = [item.key for item in await peer.user_bucket().list_objects()]
        page = peer.workspace_bucket(os.environ["WORKSPACE"])
        found["peer reads"] = len(await page.list_objects())
        found["peer writes"] = await refused(page.delete_object("x"))
        found["bad token"] = await refused(
            h2o_drive.connect(token_provider=lambda: "e30.e30.e30").user_bucket().list_objects()
        )
    print(json.dumps(found))


asyncio.run(main())
