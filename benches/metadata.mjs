/** A `$metadata` document as an environment has it: thousands of entities whose properties share most of their names. */

const WORDS =
  "Account Address Agreement Amount Approval Bank Batch Budget Buyer Category Code Company Contact Contract Cost Country Currency Customer Date Default Delivery Description Dimension Discount Document Effective Employee Entity External Group Invoice Item Journal Language Ledger Legal Line Location Method Name Number Order Party Payment Percent Period Person Phone Policy Posting Price Priority Product Project Purchase Quantity Reason Reference Region Release Request Requisition Sales Schedule Segment Sequence Service Site Status Tax Terms Time Type Unit User Value Vendor Version Warehouse Worker Zone".split(
    " ",
  );
const TYPES = ["String", "String", "String", "String", "Decimal", "DateTimeOffset", "Int32", "Int64", "Guid"];
const NAMESPACE = "Microsoft.Dynamics.DataEntities";

/** The same numbers on every run. */
function numbers(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/**
 * @param bytes about how long
 * @returns {{ text: string, entities: number, properties: number, enums: number }} what it holds, counted while it is written
 */
export function metadataDocument(bytes) {
  const random = numbers(7);
  const word = () => WORDS[random(WORDS.length)];
  const lines = [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<edmx:Edmx Version="4.0" xmlns:edmx="http://docs.oasis-open.org/odata/ns/edmx">',
    "  <edmx:DataServices>",
    `    <Schema Namespace="${NAMESPACE}" xmlns="http://docs.oasis-open.org/odata/ns/edm">`,
  ];
  let length = 0;
  const add = (line) => {
    length += line.length + 1;
    lines.push(line);
  };
  const enums = Math.ceil(bytes / 15_000);
  for (let i = 0; i < enums; i++) {
    add(`      <EnumType Name="${word()}${word()}Enum${i}">`);
    for (let m = 3 + random(8); m > 0; m--) add(`        <Member Name="${word()}${word()}${m}" Value="${m}" />`);
    add("      </EnumType>");
  }
  const enumNames = lines.flatMap((line) => /<EnumType Name="([^"]+)"/.exec(line)?.[1] ?? []);
  const sets = [];
  let properties = 0;
  for (let i = 0; length < bytes * 0.96; i++) {
    const type = `${word()}${word()}${word()}${i}`;
    const names = new Set(["dataAreaId"]);
    for (let p = 20 + random(80); p > 0; p--) names.add(`${word()}${word()}${random(3) === 0 ? word() : ""}`);
    add(`      <EntityType Name="${type}">`);
    add("        <Key>");
    add('          <PropertyRef Name="dataAreaId" />');
    add("        </Key>");
    for (const name of names) {
      const kind = random(4) === 0 ? `${NAMESPACE}.${enumNames[random(enums)]}` : `Edm.${TYPES[random(TYPES.length)]}`;
      add(`        <Property Name="${name}" Type="${kind}"${random(2) === 0 ? ' Nullable="false"' : ""} />`);
    }
    properties += names.size;
    for (let n = 1 + random(6); n > 0 && sets.length > 0; n--) {
      const target = sets[random(sets.length)].type;
      add(`        <NavigationProperty Name="${word()}${n}" Type="${NAMESPACE}.${target}" Partner="${word()}">`);
      add(`          <ReferentialConstraint Property="dataAreaId" ReferencedProperty="dataAreaId" />`);
      add("        </NavigationProperty>");
    }
    add("      </EntityType>");
    sets.push({ type, set: `${type}Set` });
  }
  add('      <EntityContainer Name="Resources">');
  for (const { type, set } of sets) {
    add(`        <EntitySet Name="${set}" EntityType="${NAMESPACE}.${type}">`);
    const target = sets[random(sets.length)].set;
    add(`          <NavigationPropertyBinding Path="${word()}1" Target="${target}" />`);
    add("        </EntitySet>");
  }
  add("      </EntityContainer>");
  lines.push("    </Schema>", "  </edmx:DataServices>", "</edmx:Edmx>");
  return { text: lines.join("\n"), entities: sets.length, properties, enums, collection: sets[sets.length >> 1].set };
}
