"""Uses boto3 and the AWS CLI's library calls on Drive as general S3 tools do; prints what came back as JSON.

Environment: ENDPOINT, WORKSPACE and the temporary keys, as boto3 finds them. MODE: default checksums of the SDK, or only what is required.
"""

import hashlib
import io
import json
import os
import urllib.request

import boto3
import botocore.exceptions
from boto3.s3.transfer import TransferConfig
from botocore.config import Config

config = Config(
    s3={"addressing_style": "path"},
    request_checksum_calculation=os.environ["CHECKSUMS"],
    response_checksum_validation="when_supported",
    retries={"max_attempts": 1},
)
s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], region_name="eu-west-3", config=config)
bucket, workspace, prefix = "_my", os.environ["WORKSPACE"], f"boto-{os.environ['CHECKSUMS']}/"


def code(call, **arguments):
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    return "none"


found = {}
found["buckets"] = sorted(b["Name"] for b in s3.list_buckets()["Buckets"])[:1]
found["location"] = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
s3.head_bucket(Bucket=workspace)
found["no bucket"] = code(s3.head_bucket, Bucket="00000000-0000-4000-8000-00000000dead")

key = prefix + "a b/ü+&.txt"
put = s3.put_object(Bucket=bucket, Key=key, Body=b"0123456789", ContentType="text/plain", Metadata={"colour": "blue"}, CacheControl="no-store")
found["etag"] = put["ETag"] == f'"{hashlib.md5(b"0123456789").hexdigest()}"'
got = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
found["got"] = [got["Body"].read().decode(), got["ContentType"], got["Metadata"], got["CacheControl"], got["ContentLength"]]
found["ranges"] = [
    s3.get_object(Bucket=bucket, Key=key, Range=text)["Body"].read().decode() for text in ("bytes=2-4", "bytes=7-", "bytes=-2", "bytes=5-500")
]
found["bad range"] = code(s3.get_object, Bucket=bucket, Key=key, Range="bytes=10-")
found["conditions"] = [
    code(s3.get_object, Bucket=bucket, Key=key, IfMatch='"0"'),
    code(s3.get_object, Bucket=bucket, Key=key, IfNoneMatch=put["ETag"]),
    code(s3.put_object, Bucket=bucket, Key=key, Body=b"x", IfNoneMatch="*"),
    code(s3.put_object, Bucket=bucket, Key=key, Body=b"x", IfMatch='"0"'),
]
for algorithm in ("CRC32", "SHA1", "SHA256"):
    s3.put_object(Bucket=bucket, Key=prefix + algorithm, Body=io.BytesIO(b"with " + algorithm.encode()), ChecksumAlgorithm=algorithm)
copied = s3.copy_object(Bucket=workspace, Key="copied", CopySource={"Bucket": bucket, "Key": key}, MetadataDirective="REPLACE", Metadata={"colour": "red"})
found["copied"] = s3.head_object(Bucket=workspace, Key="copied")["Metadata"]
config_of_parts = TransferConfig(multipart_threshold=5 * 1024**2, multipart_chunksize=5 * 1024**2)
large = os.urandom(12 * 1024**2 + 3)
s3.upload_fileobj(io.BytesIO(large), bucket, prefix + "large", Config=config_of_parts)
back = io.BytesIO()
s3.download_fileobj(bucket, prefix + "large", back, Config=config_of_parts)
found["large"] = back.getvalue() == large
s3.copy({"Bucket": bucket, "Key": prefix + "large"}, bucket, prefix + "large copy", Config=config_of_parts)
found["large copy"] = s3.get_object(Bucket=bucket, Key=prefix + "large copy")["Body"].read() == large
upload = s3.create_multipart_upload(Bucket=bucket, Key=prefix + "left")["UploadId"]
part = s3.upload_part(Bucket=bucket, Key=prefix + "left", UploadId=upload, PartNumber=3, Body=b"part")
found["uploads"] = [u["Key"] for u in s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix)["Uploads"]]
found["parts"] = [(p["PartNumber"], p["Size"]) for p in s3.list_parts(Bucket=bucket, Key=prefix + "left", UploadId=upload)["Parts"]]
found["bad parts"] = [
    code(s3.complete_multipart_upload, Bucket=bucket, Key=prefix + "left", UploadId=upload, MultipartUpload={"Parts": parts})
    for parts in (
        [{"PartNumber": 3, "ETag": '"0"'}],
        [{"PartNumber": 3, "ETag": part["ETag"]}, {"PartNumber": 1, "ETag": part["ETag"]}],
    )
]
s3.abort_multipart_upload(Bucket=bucket, Key=prefix + "left", UploadId=upload)
found["aborted"] = code(s3.list_parts, Bucket=bucket, Key=prefix + "left", UploadId=upload)

names = [f"{prefix}many/{n:02}/x" for n in range(12)]
for name in names:
    s3.put_object(Bucket=bucket, Key=name, Body=b"")
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + "many/", PaginationConfig={"PageSize": 5}))
found["pages"] = [len(page["Contents"]) for page in pages]
found["order"] = [item["Key"] for page in pages for item in page["Contents"]] == names
first = list(s3.get_paginator("list_objects").paginate(Bucket=bucket, Prefix=prefix + "many/", Delimiter="/", PaginationConfig={"PageSize": 5}))
found["folders"] = [len(page.get("CommonPrefixes", [])) for page in first]
found["start after"] = s3.list_objects_v2(Bucket=bucket, Prefix=prefix + "many/", StartAfter=names[9])["KeyCount"]
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": key, "ResponseContentType": "text/csv"}, ExpiresIn=60)
answer = urllib.request.urlopen(url)
found["presigned get"] = [answer.read().decode(), answer.headers["content-type"]]
url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": prefix + "by link"}, ExpiresIn=60)
urllib.request.urlopen(urllib.request.Request(url, data=b"by link", method="PUT"))
found["presigned put"] = s3.get_object(Bucket=bucket, Key=prefix + "by link")["Body"].read().decode()
found["not there"] = [
    code(s3.get_bucket_versioning, Bucket=bucket),
    code(s3.put_object_tagging, Bucket=bucket, Key=key, Tagging={"TagSet": []}),
    code(s3.delete_bucket, Bucket=bucket),
    code(s3.create_bucket, Bucket=bucket),
    code(s3.create_bucket, Bucket="another", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}),
]
everything = [item["Key"] for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix) for item in page["Contents"]]
deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": name} for name in everything]})
found["deleted"] = len(deleted["Deleted"]) == len(everything)
s3.delete_object(Bucket=workspace, Key="copied")
found["left"] = s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["KeyCount"]
print(json.dumps(found))
