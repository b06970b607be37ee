/** JSON strings are valid Python strings for such values. */
const quoted = (value: string): string => JSON.stringify(value);

export const pythonInstall = 'pip install h2o-drive';

/** The official package, with this installation's address and this bucket and folder. */
export const pythonSample = (publicUrl: string, bucket: string, folder: string): string =>
  `import asyncio
import os
import h2o_drive

os.environ.setdefault("H2O_CLOUD_ENVIRONMENT", ${quoted(publicUrl)})

async def main():
    drive = h2o_drive.connect()
    bucket = drive.${bucket === '_my' ? 'user_bucket()' : `workspace_bucket(${quoted(`workspaces/${bucket}`)})`}
    await bucket.upload_file("local.csv", ${quoted(`${folder}local.csv`)})
    for item in await bucket.list_objects(${quoted(folder)}):
        print(item.key, item.size)

asyncio.run(main())`;

const shellQuoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** The profile fetches temporary keys by itself, whenever some are needed. */
export const awsProfile = (publicUrl: string): string =>
  `export H2O_CLOUD_ENVIRONMENT=${publicUrl}
python -m h2o_drive aws profile --name haic >> ~/.aws/config`;

export const awsSample = (bucket: string, folder: string): string =>
  `aws --profile haic-drive --region us-east-1 s3 ls ${shellQuoted(`s3://${bucket}/${folder}`)}
aws --profile haic-drive --region us-east-1 s3 cp local.csv ${shellQuoted(`s3://${bucket}/${folder}`)}`;
