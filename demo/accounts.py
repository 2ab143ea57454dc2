"""The two AWS accounts of the demo, set up by real API calls to the emulator.

Requires botocore, which is in the emulator's virtual environment.
"""

import json

import botocore.config
import botocore.exceptions
import botocore.session

from samples import sample_files

REGION = "us-east-1"
VENDOR = "111111111111"
CUSTOMER = "222222222222"
BUILT_IN_BUCKET = "sallyport-built-in"
CUSTOMER_BUCKET = "acme-data"

# The service's own identity. In production: a role with the same permissions.
SERVICE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "arn:aws:iam::*:role/*"},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetBucketLocation"],
            "Resource": f"arn:aws:s3:::{BUILT_IN_BUCKET}",
        },
        {
            "Effect": "Allow",
            "Action": [
                "s3:GetObject",
                "s3:GetObjectVersion",
                "s3:GetObjectAcl",
                "s3:PutObject",
                "s3:PutObjectAcl",
                "s3:DeleteObject",
                "s3:DeleteObjectVersion",
                "s3:AbortMultipartUpload",
            ],
            "Resource": f"arn:aws:s3:::{BUILT_IN_BUCKET}/*",
        },
    ],
}

ADMINISTRATOR_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def client(service, aws_url, access_key_id, secret_access_key):
    """A botocore client that uses these credentials and ignores the caller's own AWS settings."""
    return botocore.session.get_session().create_client(
        service,
        region_name=REGION,
        endpoint_url=aws_url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        aws_session_token=None,
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def root(service, aws_url, account):
    """A client as the account's root: the emulator accepts the account ID as its access key."""
    return client(service, aws_url, account, "test")


def seed(aws_url, earlier):
    """Creates what does not exist yet. `earlier` has the keys of an earlier run, reused if they still
    work. Returns `{"vendor": key, "customer": key}`, each `{"access_key_id", "secret_access_key"}`.
    """
    _bucket(aws_url, VENDOR, BUILT_IN_BUCKET)
    _bucket(aws_url, CUSTOMER, CUSTOMER_BUCKET)
    s3 = root("s3", aws_url, CUSTOMER)
    for key, (content_type, body) in sample_files().items():
        s3.put_object(Bucket=CUSTOMER_BUCKET, Key=key, Body=body, ContentType=content_type)
    return {
        "vendor": _user(aws_url, VENDOR, "sallyport", SERVICE_POLICY, earlier.get("vendor")),
        "customer": _user(aws_url, CUSTOMER, "admin", ADMINISTRATOR_POLICY, earlier.get("customer")),
    }


def _bucket(aws_url, account, name):
    s3 = root("s3", aws_url, account)
    if name not in [bucket["Name"] for bucket in s3.list_buckets().get("Buckets", [])]:
        s3.create_bucket(Bucket=name)


def _user(aws_url, account, name, policy, earlier):
    """Creates an IAM user with this policy if needed, and returns an access key of the user."""
    iam = root("iam", aws_url, account)
    try:
        iam.create_user(UserName=name)
    except iam.exceptions.EntityAlreadyExistsException:
        pass
    iam.put_user_policy(UserName=name, PolicyName="access", PolicyDocument=json.dumps(policy))
    if earlier and _is(aws_url, earlier, f"arn:aws:iam::{account}:user/{name}"):
        return earlier
    # IAM allows two keys per user.
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"access_key_id": key["AccessKeyId"], "secret_access_key": key["SecretAccessKey"]}


def _is(aws_url, key, arn):
    try:
        return client("sts", aws_url, **key).get_caller_identity()["Arn"] == arn
    except botocore.exceptions.ClientError:
        return False


def unguarded_role(aws_url, customer_key, name, trust_policy, permission_policy):
    """Creates the role without the external-ID condition, as a careless administrator might."""
    trust_policy = json.loads(json.dumps(trust_policy))
    for statement in trust_policy["Statement"]:
        statement.pop("Condition", None)
    iam = client("iam", aws_url, **customer_key)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust_policy))
    iam.put_role_policy(RoleName=name, PolicyName="sallyport", PolicyDocument=json.dumps(permission_policy))
    return role["Role"]["Arn"]
