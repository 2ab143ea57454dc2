"""The calls of a connection check, one after the other, as a plain script makes them: a peer for the benchmark
`check_connection`, which runs it.

It uses botocore, whose clients are those that boto3 gives out; the tests have it already. Its arguments are the
address of STS and S3, the access (`read` or `read_write`), how often, the role, its external ID, the bucket and the
account. It prints how many seconds each time took, without the first, which opens the connections.
"""

import http.client
import sys
import time
import urllib.parse

import botocore.config
import botocore.exceptions
import botocore.session

ORIGIN = "https://app.example.com"
METHODS = {"read": ["GET", "HEAD"], "read_write": ["GET", "HEAD", "PUT", "POST", "DELETE"]}


def main(url, access, times, role, external_id, bucket, account):
    session = botocore.session.Session()
    session.set_credentials("AKIAEXAMPLE", "secret")
    config = botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1})
    sts, s3 = (
        session.create_client(name, region_name="us-east-1", endpoint_url=url, config=config) for name in ("sts", "s3")
    )
    http_connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc)

    def assumes(**external):
        try:
            sts.assume_role(RoleArn=role, RoleSessionName="script", **external)
        except botocore.exceptions.ClientError:
            return False
        return True

    def check():
        found = [assumes(ExternalId=external_id), assumes(), assumes(ExternalId="wrong")]
        if found != [True, False, False]:
            sys.exit(f"the role answers otherwise than it should: {found}")
        s3.get_bucket_location(Bucket=bucket)
        s3.get_bucket_location(Bucket=bucket, ExpectedBucketOwner=account)
        s3.list_objects_v2(Bucket=bucket, Prefix="team/", MaxKeys=10)
        for method in METHODS[access]:
            headers = {"origin": ORIGIN, "access-control-request-method": method}
            http_connection.request("OPTIONS", f"/{bucket}/team/temp/probe", headers=headers)
            http_connection.getresponse().read()
        s3.get_object(Bucket=bucket, Key="team/1024.bin", Range="bytes=0-0")["Body"].read()
        if access == "read_write":
            s3.put_object(Bucket=bucket, Key="team/temp/probe", Body=b"x")
            s3.get_object(Bucket=bucket, Key="team/1024.bin")["Body"].read()
            s3.delete_object(Bucket=bucket, Key="team/temp/probe")

    check()
    for _ in range(int(times)):
        began = time.perf_counter()
        check()
        print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
