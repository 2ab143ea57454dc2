"""Policies and rules out of any document's text."""
import json, re, yaml, hcl2

def jsons(text):
    """Every JSON object or list that stands in a text, outermost only."""
    out, i, d = [], 0, json.JSONDecoder()
    while i < len(text):
        if text[i] in "{[":
            try:
                v, n = d.raw_decode(text[i:]); 
                if isinstance(v, (dict, list)) and v: out.append(v)
                i += n; continue
            except ValueError: pass
        i += 1
    return out

def shell_jsons(script): return jsons(script.replace("'\\''", "'"))
def tf_jsons(text): return jsons(text.replace("$${", "${").replace("%%{", "%{"))

def aslist(v): return v if isinstance(v, list) else [] if v is None else [v]
def grants(policy):
    """A set of (effect, action, resource, condition)."""
    out = set()
    for s in aslist(policy["Statement"]):
        c = {op: {k: sorted(aslist(x)) for k, x in m.items()} for op, m in (s.get("Condition") or {}).items()}
        for a in aslist(s.get("Action")):
            for r in aslist(s.get("Resource")): out.add((s["Effect"], a, r, json.dumps(c, sort_keys=True)))
    return out
def trust(policy):
    out = set()
    for s in aslist(policy["Statement"]):
        p = s["Principal"]; p = p if isinstance(p, str) else json.dumps({k: sorted(aslist(v)) for k, v in p.items()}, sort_keys=True)
        c = json.dumps({o: {k: sorted(aslist(x)) for k, x in m.items()} for o, m in (s.get("Condition") or {}).items()}, sort_keys=True)
        for a in aslist(s["Action"]): out.add((s["Effect"], p, a, c))
    return out
def is_trust(v): return isinstance(v, dict) and "Statement" in v and all("Principal" in s and "Resource" not in s for s in aslist(v["Statement"]))
def is_permission(v): return isinstance(v, dict) and "Statement" in v and all("Principal" not in s for s in aslist(v["Statement"]))
def as_rules(v):
    if isinstance(v, dict): v = v.get("CORSRules") or v.get("Rules") or [v]
    return [r for r in aslist(v) if isinstance(r, dict)]
def cors_of(vs):
    for v in vs:
        r = as_rules(v)
        if r and all("AllowedMethods" in x for x in r): return r
def life_of(vs):
    for v in vs:
        r = as_rules(v)
        if r and all(("Expiration" in x or "AbortIncompleteMultipartUpload" in x) for x in r): return r

class Loader(yaml.SafeLoader): pass
def tagged(loader, suffix, node):
    v = loader.construct_scalar(node) if isinstance(node, yaml.ScalarNode) else loader.construct_sequence(node, deep=True) if isinstance(node, yaml.SequenceNode) else loader.construct_mapping(node, deep=True)
    return {"Ref" if suffix == "Ref" else "Fn::" + suffix: v}
Loader.add_multi_constructor("!", tagged)
Loader.yaml_implicit_resolvers = {k: [(t, r) for t, r in v if "timestamp" not in t] for k, v in Loader.yaml_implicit_resolvers.items()}
def template(text): return yaml.load(text, Loader)
def cfn(text):
    """{'trust', 'permission', 'types'}"""
    t, out = template(text), {"trust": None, "permission": None, "types": []}
    inline = []
    for name, r in t["Resources"].items():
        out["types"].append(r["Type"]); p = r.get("Properties", {})
        if "AssumeRolePolicyDocument" in p: out["trust"] = p["AssumeRolePolicyDocument"]
        inline += [x["PolicyDocument"] for x in aslist(p.get("Policies")) if isinstance(x, dict)]
        if r["Type"].startswith("AWS::IAM") and "PolicyDocument" in p: inline.append(p["PolicyDocument"])
    if inline: out["permission"] = {"Statement": [s for p in inline for s in aslist(p["Statement"])]}
    out["template"] = t
    return out
def unq(v):
    if isinstance(v, str): return v[1:-1] if len(v) > 1 and v[0] == v[-1] == '"' else v
    if isinstance(v, list): return [unq(x) for x in v]
    if isinstance(v, dict): return {unq(k): unq(x) for k, x in v.items()}
    return v
def tf(text):
    vs = tf_jsons(text); out = {"trust": next((v for v in vs if is_trust(v)), None), "permission": next((v for v in vs if is_permission(v)), None), "cors": None, "lifecycle": None}
    out["resources"] = re.findall(r'^resource "(\w+)" "(\w+)"', text, re.M)
    t = unq(hcl2.loads(text)); res = {}
    for r in t.get("resource", []):
        for kind, named in r.items():
            for body in named.values(): res.setdefault(kind, []).append(body)
    out["bodies"] = res
    for b in res.get("aws_s3_bucket_cors_configuration", []):
        out["cors"] = [{"ID": r.get("id"), "AllowedMethods": r["allowed_methods"], "AllowedOrigins": r["allowed_origins"]} for r in b["cors_rule"]]
    for b in res.get("aws_s3_bucket_lifecycle_configuration", []):
        f = lambda r: (aslist(r["filter"])[0] or {}).get("prefix")
        out["lifecycle"] = [{"ID": r["id"], "Prefix": f(r), "Days": aslist(r.get("expiration") or {})[0].get("days")} for r in b["rule"]]
    return out
def sh(text):
    vs = shell_jsons(text)
    return {"trust": next((v for v in vs if is_trust(v)), None), "permission": next((v for v in vs if is_permission(v)), None), "cors": cors_of(vs), "lifecycle": life_of(vs)}
