"""The triggers that refuse personal data, should the service's own sieve ever let some through.

Their words and patterns are those of `skeldir.domain.pii`, less the two that are personal only by
context ("name", "customer"). They raise SQLSTATE 23514 and name the key's path, never the value.
"""

from alembic import op

_WORDS = (
    "email,mail,phone,telephone,mobile,tel,fax,msisdn,ssn,ip,ipaddress,ipv4,ipv6,surname,firstname,lastname"
    ",fullname,middlename,givenname,familyname,nickname,username,address,street,streetaddress,address1,address2"
    ",zip,zipcode,postcode,postal,birthday,birthdate,dob,passport,iban,cvc,cvv,pan,cardnumber,latitude"
    ",longitude,useragent,fingerprint,gender"
)
_TOGETHER = "%email%,%phonenumber%,%socialsecurity%,%useragent%,%cardnumber%,%dateofbirth%,%clientdetails%"
_NAMES = (
    "(^|_)(first|last|middle|full|given|family|nick|user|customer|billing|shipping|client|buyer)_names?(_|$)"
)
_TYPED = (
    "(^|_)(id|ids|gid|uuid|reference|amount|cents|total|subtotal|price|tax|fee|time|timestamp|date|at"
    "|created|updated|currency)$|_key$|^(amount|total|subtotal|price|date)_|_date_gmt$"
    "|(order|invoice|receipt|transaction)_number$|currency_code$"
)
# Beside these what vendors call payments and orders without saying that it is an id.
_TYPED_TOO = _TYPED + "|(^|_)(intent|charge|payment)$|^orders_(requested|to_redact)$"
_OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_EMAIL = r"[^\s@<>,;]+@[^\s@<>,;]+\.[^\s@<>,;.]{2,}"
_NUMBERS = (
    r"((?<![0-9-])(?!000|666|9)[0-9]{3}[- ](?!00)[0-9]{2}[- ](?!0000)[0-9]{4}(?![0-9-]))"
    r"|((?<![0-9A-Za-z])(\+|00) ?[1-9]([ ./()-]{0,3}[0-9]){6,14}(?![0-9A-Za-z]))"
    r"|((?<![0-9A-Za-z-])\(?[2-9][0-9]{2}\)?[ .-]+[2-9][0-9]{2}[ .-][0-9]{4}(?![0-9A-Za-z-]))"
)
_UUID = "(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])"
_IPV4 = rf"(?<![0-9A-Za-z.]){_OCTET}(\.{_OCTET}){{3}}(?![0-9A-Za-z]|\.[0-9])"
_IPV6 = (
    r"(?<![0-9A-Za-z:])(([0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}"
    r"|([0-9A-Fa-f]{1,4}:){1,6}(:[0-9A-Fa-f]{1,4}){1,6}"
    r"|::([0-9A-Fa-f]{1,4}:){0,6}[0-9A-Fa-f]{1,4}|([0-9A-Fa-f]{1,4}:){1,7}:)(?![0-9A-Za-z:])"
)
_RUN = "(?<![0-9A-Za-z])([0-9]([ -]?[0-9]){12,18})(?![0-9A-Za-z])"
_CARD = (
    r"^(4[0-9]{12}([0-9]{3}){0,2}|(5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(0[0-5]|[68][0-9])[0-9]{11}|(6011|64[4-9][0-9]|65[0-9]{2})[0-9]{12,15}"
    r"|35(2[89]|[3-8][0-9])[0-9]{12,15}|62[0-9]{14,17})$"
)

_SNAKE = r"""
CREATE FUNCTION public.pii_snake(p_key text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT lower(regexp_replace(regexp_replace(regexp_replace(p_key,
    '([a-z0-9])([A-Z])', '\1_\2', 'g'), '([A-Z]+)([A-Z][a-z])', '\1_\2', 'g'), '[^A-Za-z0-9]+', '_', 'g'))
$$
"""
_KEY = f"""
CREATE FUNCTION public.pii_key(p_key text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  snake text := public.pii_snake(p_key);
  compact text := replace(snake, '_', '');
BEGIN
  RETURN string_to_array(snake, '_') || compact && '{{{_WORDS}}}' OR compact LIKE ANY ('{{{_TOGETHER}}}')
      OR (compact LIKE '%name%' AND snake ~ '{_NAMES}');
END $$
"""
# A pattern costs a hundred times its guard, and nearly every value fails all the guards.
_VALUE = f"""
CREATE FUNCTION public.pii_value(p_value text) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  form text := replace(replace(replace(p_value, '%40', '@'), '%2B', '+'), '%3A', ':');
  digits integer := length(form) - length(translate(form, '0123456789', ''));
BEGIN
  RETURN (form LIKE '%@%' AND form ~ '{_EMAIL}')
      OR (form LIKE '%.%.%.%' AND digits >= 4 AND form ~ '{_IPV4}')
      OR (form LIKE '%:%:%' AND form ~ '{_IPV6}')
      OR (digits >= 7 AND regexp_replace(form, '{_UUID}', ' ', 'g') ~ '{_NUMBERS}')
      OR (digits >= 13 AND public.pii_card(form));
END $$
"""
_CARD_NUMBER = f"""
CREATE FUNCTION public.pii_card(p_value text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT EXISTS (
    SELECT FROM regexp_matches(p_value, '{_RUN}', 'g') AS run,
           regexp_replace(run[1], '[ -]', '', 'g') AS digits
     WHERE digits ~ '{_CARD}' AND (
       SELECT sum(doubled / 10 + doubled % 10) % 10 = 0
         FROM generate_series(1, length(digits)) AS place,
              LATERAL (SELECT CAST(substr(digits, place, 1) AS integer)
                              * (1 + (length(digits) - place) % 2)) AS one (doubled)))
$$
"""
# An object with a name (or key) and a value is a pair: the value goes by that name.
_PATH = f"""
CREATE FUNCTION public.pii_path(p_document jsonb) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  WITH RECURSIVE node (path, name, value) AS (
    SELECT CAST('' AS text), CAST('' AS text), p_document
    UNION ALL
    SELECT child.path, child.name, child.value
      FROM node, LATERAL (
        SELECT node.path || '.' || CASE
                 WHEN named.name ~ '^[A-Za-z0-9_-]{{1,64}}$' AND NOT public.pii_value(named.name)
                 THEN named.name ELSE '?' END,
               named.name, member.value
          FROM jsonb_each(CASE jsonb_typeof(node.value) WHEN 'object' THEN node.value END) AS member,
               LATERAL (SELECT CASE 'string'
                 WHEN jsonb_typeof(node.value -> 'name') THEN node.value ->> 'name'
                 WHEN jsonb_typeof(node.value -> 'key') THEN node.value ->> 'key' END) AS pair (label),
               LATERAL (SELECT CASE WHEN member.key = 'value' THEN coalesce(pair.label, 'value')
                                    ELSE member.key END) AS named (name)
        UNION ALL
        SELECT node.path || '[' || item.place - 1 || ']', node.name, item.value
          FROM jsonb_array_elements(CASE jsonb_typeof(node.value) WHEN 'array' THEN node.value END)
               WITH ORDINALITY AS item (value, place)
      ) AS child (path, name, value)
  )
  SELECT ltrim(path, '.') FROM node
   WHERE public.pii_key(name) OR public.pii_value(name)
      OR (jsonb_typeof(value) = 'string' AND public.pii_snake(name) !~ '{_TYPED}'
          AND public.pii_value(value #>> '{{}}'))
   LIMIT 1
$$
"""
_REFUSE = """
CREATE FUNCTION public.refuse_pii() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  path text;
  place integer;
BEGIN
  FOR place IN 0 .. TG_NARGS - 1 LOOP
    path := public.pii_path(jsonb_build_object(TG_ARGV[place], to_jsonb(NEW) -> TG_ARGV[place]));
    IF path IS NOT NULL THEN
      RAISE EXCEPTION 'personal data is refused: %.%', TG_TABLE_NAME, path
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NEW;
END $$
"""

# Texts that are nothing but an instant or an amount: none of pii_value's patterns fits one.
_INSTANT = (
    "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DECIMAL = "(0|[1-9][0-9]{0,11})([.][0-9]{1,4})?"
# What every one of pii_value's patterns asks for, at the least.
_MAYBE = r"[@%:]|[0-9]\)?[ .-]+\(?[0-9]|\+ ?[1-9]|(^|[^0-9A-Za-z])00|[0-9]{13}"
# All names are judged together, and all texts: a fraction of the work of going from node to node, and
# nearly always the end of it. It may suspect what is harmless, and misses nothing that pii_path finds.
# Names that are written like columns need no rewriting; the label of a pair goes with its name.
_SUSPECT = rf"""
CREATE FUNCTION public.pii_suspect(p_document jsonb) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  names text;
  texts text;
  compact text;
BEGIN
  SELECT string_agg(CASE WHEN member ->> 'key' IN ('name', 'key')
                         THEN concat(member ->> 'key', E'\n', replace(member #>> '{{value}}', E'\n', ' '))
                         ELSE replace(member ->> 'key', E'\n', ' ') END, E'\n') INTO names
    FROM jsonb_path_query(p_document, 'strict $.** ? (@.type() == "object").keyvalue()') AS member;
  SELECT string_agg(value #>> '{{}}', E'\n') INTO texts
    FROM jsonb_path_query(p_document, 'strict $.** ? (@.type() == "string"
           && !(@ like_regex "^({_INSTANT}|{_DECIMAL})$"))') AS value;
  IF names ~ '[^a-z0-9_\n]|[0-9]{{7}}' THEN
    IF public.pii_value(names) THEN
      RETURN true;
    END IF;
    names := lower(regexp_replace(regexp_replace(regexp_replace(names,
      '([a-z0-9])([A-Z])', '\1_\2', 'g'), '([A-Z]+)([A-Z][a-z])', '\1_\2', 'g'),
      '[^A-Za-z0-9\n]+', '_', 'g'));
  END IF;
  compact := replace(names, '_', '');
  RETURN coalesce(names ~ '(?n)(^|_)({_WORDS.replace(",", "|")})(_|$)'
      OR compact ~ '(?n)^({_WORDS.replace(",", "|")})$|{_TOGETHER.strip("%").replace("%,%", "|")}'
      OR (compact ~ 'name' AND names ~ '(?n){_NAMES}'), false)
      OR coalesce(texts ~ '{_MAYBE}' AND public.pii_value(texts), false);
END $$
"""
_REFUSE_SUSPECTS = """
CREATE OR REPLACE FUNCTION public.refuse_pii() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  written jsonb := to_jsonb(NEW);
  document jsonb;
  path text;
  place integer;
BEGIN
  FOR place IN 0 .. TG_NARGS - 1 LOOP
    document := jsonb_build_object(TG_ARGV[place], written -> TG_ARGV[place]);
    path := CASE WHEN public.pii_suspect(document) THEN public.pii_path(document) END;
    IF path IS NOT NULL THEN
      RAISE EXCEPTION 'personal data is refused: %.%', TG_TABLE_NAME, path
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN NEW;
END $$
"""
_SSN = _NUMBERS.partition(r"|((?<![0-9A-Za-z])(\+|00)")[0]
# For audits, which ask of which kind it is and for all places, not only whether there is one.
_KIND = f"""
CREATE FUNCTION public.pii_kind(p_value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  form text := replace(replace(replace(p_value, '%40', '@'), '%2B', '+'), '%3A', ':');
  numbers text := regexp_replace(form, '{_UUID}', ' ', 'g');
BEGIN
  RETURN CASE
    WHEN form ~ '{_EMAIL}' THEN 'email'
    WHEN form ~ '{_IPV4}' OR form ~ '{_IPV6}' THEN 'ip'
    WHEN numbers ~ '{_SSN}' THEN 'ssn'
    WHEN numbers ~ '{_NUMBERS}' THEN 'phone'
    WHEN public.pii_card(form) THEN 'card' END;
END $$
"""
_HITS = _PATH.partition("SELECT ltrim(path, '.')")[0].replace(
    "pii_path(p_document jsonb) RETURNS text",
    "pii_hits(p_document jsonb) RETURNS TABLE (path text, kind text)",
)
_HITS += f"""SELECT DISTINCT regexp_replace(ltrim(node.path, '.'), '[[][0-9]+[]]', '[]', 'g'), judged.kind
    FROM node, LATERAL (SELECT CASE
           WHEN public.pii_key(name) AND jsonb_typeof(value) <> 'null' THEN 'key'
           WHEN public.pii_value(name) THEN public.pii_kind(name)
           WHEN jsonb_typeof(value) = 'string' AND public.pii_snake(name) !~ '{_TYPED}'
                AND public.pii_value(value #>> '{{}}') THEN public.pii_kind(value #>> '{{}}')
         END) AS judged (kind)
   WHERE judged.kind IS NOT NULL
$$
"""


def create() -> None:
    """Create the functions."""
    for statement in (_SNAKE, _KEY, _CARD_NUMBER, _VALUE, _PATH, _REFUSE):
        op.execute(statement)


def drop() -> None:
    """Drop the functions; their triggers must be gone."""
    op.execute("DROP FUNCTION public.refuse_pii(), public.pii_path(jsonb)")
    op.execute("DROP FUNCTION public.pii_value(text), public.pii_card(text), public.pii_key(text)")
    op.execute("DROP FUNCTION public.pii_snake(text)")


def replace_path(*, nulls_are_refused: bool, typed: str = _TYPED) -> None:
    """Replace the search; a key that holds nothing may be let through, whatever it is called."""
    statement = _PATH.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(_TYPED, typed)
    if not nulls_are_refused:
        holds_something = "(public.pii_key(name) AND jsonb_typeof(value) <> 'null')"
        statement = statement.replace("WHERE public.pii_key(name) ", f"WHERE {holds_something} ")
    op.execute(statement)


def guard(table: str, *columns: str) -> None:
    """Have every row written to a table judged by these columns."""
    named = ", ".join(f"'{column}'" for column in columns)
    op.execute(
        f"CREATE TRIGGER refuse_pii BEFORE INSERT OR UPDATE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION public.refuse_pii({named})"
    )


def suspect_first() -> None:
    """Look at a row as a whole before it is searched."""
    op.execute(_SUSPECT)
    op.execute(_REFUSE_SUSPECTS)


def search_always() -> None:
    """Search every row, as before."""
    op.execute(_REFUSE.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute("DROP FUNCTION public.pii_suspect(jsonb)")


def tell_all() -> None:
    """Offer audits every place of a document, and of which kind it is."""
    op.execute(_KIND)
    op.execute(_HITS)


def tell_one() -> None:
    """Take that back."""
    op.execute("DROP FUNCTION public.pii_hits(jsonb), public.pii_kind(text)")


def take_payments_for_ids(*, are_ids: bool) -> None:
    """Leave what names a payment, or lists orders, unjudged by its digits."""
    typed = _TYPED_TOO if are_ids else _TYPED
    replace_path(nulls_are_refused=False, typed=typed)
    op.execute(_HITS.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(_TYPED, typed))
