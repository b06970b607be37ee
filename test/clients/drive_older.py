"""The same of the unmodified h2o-drive 3.x, which finds another service, creates its bucket and sends checksums behind the body."""

import asyncio
import hashlib
import json
import os
import tempfile
import urllib.request

import botocore.exceptions
import h2o_drive


async def main():
    bucket = await h2o_drive.MyBucket()
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        small, large, out = (os.path.join(folder, name) for name in ("small", "large", "out"))
        with open(small, "wb") as file:
            file.write(b"older")
        with open(large, "wb") as file:
            file.write(os.urandom(9 * 1024 * 1024 + 1))
        sums = lambda name: hashlib.sha256(open(name, "rb").read()).hexdigest()
        same = []
        for key, file in [("older/a b+ü.txt", small), ("older/large", large)]:
            await bucket.upload_file(file, key)
            await bucket.download_file(key, out)
            same.append(sums(out) == sums(file))
        found["same"] = same
        found["listed"] = [(item.key, item.size) for item in await bucket.list_objects("older/")]
        found["presigned"] = urllib.request.urlopen(await bucket.generate_presigned_url("older/a b+ü.txt")).read().decode()
        home = await h2o_drive.MyHome()
        await home.upload_file(small, "mine")
        found["home"] = [item.key for item in await home.list_objects()]
        app = bucket.workspace(h2o_drive.Workspace.APP)
        await app.upload_file(small, "of the app")
        found["app"] = [item.key for item in await bucket.list_objects("an-app/")]
        await app.delete_object("of the app")
        await home.delete_object("mine")
        for key in ("older/a b+ü.txt", "older/large"):
            await bucket.delete_object(key)
        found["left"] = len(await bucket.list_objects("older/"))
        try:
            await bucket.download_file("never", out)
        except botocore.exceptions.ClientError as error:
            found["missing"] = error.response["Error"]["Code"]
    print(json.dumps(found))


asyncio.run(main())
