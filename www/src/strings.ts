/** Every text that the page itself says, in English. */
const number = (value: number) => value.toLocaleString("en");
const many = (count: number, one: string, more: string) => `${number(count)} ${count === 1 ? one : more}`;

export const strings = {
  title: "d365-clm administration",
  skip: "Skip to the content",
  navigation: "Views",
  look: "Appearance",
  looks: { system: "As the system", light: "Light", dark: "Dark" },
  views: { packages: "Packages", jobs: "Jobs", connection: "Connection", sync: "Sync", contracts: "Contracts" },
  starting: "Starting…",

  failed: (code: string, message: string) => (code ? `${code}: ${message}` : message),
  place: (file: string | undefined, line: number | undefined, column: string | undefined) =>
    [file, line === undefined ? undefined : `line ${line}`, column === undefined ? undefined : `column ${column}`]
      .filter(Boolean)
      .join(", "),
  progress: (
    stage: string,
    done: number | undefined,
    total: number | undefined,
    unit: string | undefined,
    status: string | undefined,
  ) => {
    const much = done === undefined ? "" : ` ${number(done)}${total ? ` of ${number(total)}` : ""} ${unit ?? ""}`;
    return `${stage}${much}${status ? ` (${status})` : ""}`.trim();
  },
  bytes: (size: number | undefined) => {
    if (size === undefined) return "–";
    if (size < 1024) return `${size} B`;
    if (size < 1024 * 1024) return `${(size / 1024).toFixed(1)} KiB`;
    return `${(size / 1024 / 1024).toFixed(1)} MiB`;
  },
  number,
  time: (iso: string | undefined) => (iso ? iso.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC") : "–"),

  config: {
    missing: (status: number) => `config.json could not be read (${status}). It must lie beside the page.`,
    bad: (at: string, wanted: string) => `config.json: ${at} must be ${wanted}.`,
    none: "a list with at least one environment",
    object: "an object",
    list: "a list",
    text: "a text",
    address: "an https address (http for 127.0.0.1, localhost and [::1] alone)",
    origin: "an exact origin such as https://clm.example, without a path and without wildcards",
    bare: "an address without user, query and fragment",
    sameOrigin: "an address of this page's own origin",
    relayless: 'without "relay" where no relay is named',
    hostless: 'without "host" where no module is named',
  },

  token: {
    empty: "Paste a token first.",
    malformed: "This is no access token: it has blanks or characters that no token has.",
    rejected: "The service refused the pasted token: paste a new one.",
    none: "The surrounding page gave no token.",
    noGetToken: "The host's module exports no function getToken.",
    slowParent: "The surrounding page gave no token within a minute.",
    foreignParent: (origin: string) => `The surrounding page ${origin} is not listed in config.json.`,
    foreignEnvironment: "The surrounding page named an environment that config.json does not list.",
    waiting: "Waiting for the surrounding page to connect.",
  },

  session: {
    heading: "Environment",
    environment: "Environment",
    company: "Company",
    companyHint: "Legal entity, for example usmf. Empty: the user's own.",
    way: "Token",
    ways: { paste: "Pasted, for a trial", relay: "Added by the relay", host: "From the host" },
    token: "Access token",
    tokenHint: "Kept in memory only, and gone when this page is left.",
    connect: "Connect",
    disconnect: "Disconnect",
    connected: (name: string, company: string) => `Connected to ${name}${company ? `, company ${company}` : ""}.`,
    not: "Not connected. Packages can be examined without a connection.",
    needed: "Connect to an environment first.",
  },

  table: {
    region: (label: string) => `${label}, scrolls`,
    rows: (count: number, complete: boolean) =>
      `${many(count, "row", "rows")}${complete ? "" : " so far; more come by scrolling"}.`,
    broken: (count: number, why: string) => `${many(count, "row", "rows")}; then reading failed: ${why}`,
  },

  packages: {
    choose: "Package, CSV file or workbook",
    drop: "Choose a file, or drop it here. It is read in this browser and sent nowhere.",
    reading: (name: string) => `Reading ${name} …`,
    unknown: "Only .zip, .csv, .txt, .tsv and .xlsx files can be read.",
    heading: (name: string) => `Package ${name}`,
    entities: "Entities",
    head: ["Entity", "File", "Format", "Columns", "Size", "Rows"],
    showRows: "Show rows",
    rowsOf: (entity: string) => `Rows of ${entity}`,
    files: "Files",
    filesHead: ["File", "Size", "Compressed"],
    doctor: "Package doctor",
    examining: "Examining the package",
    clean: "No findings: the service will take this package.",
    found: (errors: number, warnings: number, infos: number) =>
      `${many(errors, "error", "errors")}, ${many(warnings, "warning", "warnings")}, ${many(infos, "remark", "remarks")}.`,
    more: (count: number) => `${many(count, "further finding is", "further findings are")} not shown.`,
    severity: { error: "Error", warning: "Warning", info: "Remark" },
    repairable: "Can be repaired",
    jump: (file: string, line: number) => `Show line ${line} of ${file}`,
    linesOf: (file: string) => `Lines of ${file}`,
    lineHead: ["Line", "Text"],
    repair: "Repair and download",
    repaired: (count: number) =>
      `Repaired: ${many(count, "change", "changes")}. The corrected package has been downloaded.`,
    changes: "What was changed",
  },

  mapping: {
    heading: (name: string) => `Rows of ${name}`,
    sheet: "Sheet",
    sheetHint: "Empty: the only one, or the first.",
    reopen: "Read this sheet",
    first: "First rows",
    entity: "Entity",
    columns: "Columns",
    head: ["Column of the file", "Property"],
    property: (column: string) => `Property for ${column}`,
    leftOut: "(left out)",
    unmapped: (count: number) =>
      count === 0 ? "Every column has a property." : `${many(count, "column is", "columns are")} left out.`,
    project: "Data project",
    projectHint: "Its name in data management. It is created, or overwritten from the package.",
    build: "Build package",
    building: "Building the package",
    built: (rows: number, size: string) => `The package has ${many(rows, "row", "rows")} and ${size}.`,
    download: "Download package",
    direction: { clmToScm: "into SCM", scmToClm: "out of SCM", setup: "setup" },
  },

  import: {
    start: "Import",
    stop: "Stop watching",
    label: "Import",
    heading: "Import",
    done: (status: string) => `The import ended: ${status}.`,
    head: ["Entity", "Status", "Created", "Updated", "Rejected"],
    result: "Result",
    rejected: "Rejected rows",
    rejectedHead: ["Record", "Reason"],
    rejectedHint: "Correct the values and send these rows again.",
    cell: (property: string, record: string) => `${property} of ${record}`,
    unmatched: "Rows that could not be found again in the file are listed without their values.",
    resend: "Send corrected rows",
  },

  jobs: {
    mine: "Imports of this browser",
    mineHead: ["Started", "Data project", "Entity", "State", "Rows", "Rejected", "Actions"],
    mineNone: "No import has been begun in this browser.",
    under: "under way",
    open: "not ended",
    resume: "Resume",
    forget: "Forget",
    resumeOf: (project: string) => `Resume ${project}`,
    forgetOf: (project: string) => `Forget ${project}`,
    all: "Runs of the environment",
    head: ["Began", "Data project", "Entities", "Status", "Rows", "Errors", "Actions"],
    none: "The service remembers no run. It forgets runs after about 7 days.",
    refresh: "Refresh",
    errors: "Errors",
    errorsOf: (project: string) => `Errors of ${project}`,
    errorHead: ["Record", "Field", "Message"],
    noErrors: "The service gives no reasons for this run.",
    chart: "Rows of the runs by the time they began",
    chartRows: "Rows",
    chartErrors: "Errors",
    chartText: (runs: number, rows: number, errors: number) =>
      `${many(runs, "run", "runs")} with ${many(rows, "row", "rows")} and ${many(errors, "error", "errors")}; the table below has them one by one.`,
  },

  missing: (part: string) => `The installed version of d365-clm has no ${part}: this view comes with a newer one.`,

  connection: {
    doctor: "Connection doctor",
    check: "Check the connection",
    checking: "Checking the connection",
    clean: "No findings: the connection works.",
    handshake: "Handshake",
    status: (establishment: string, configuration: string, name: string) =>
      `Establishment: ${establishment}. Configuration: ${configuration}.${name ? ` Service: ${name}.` : ""}`,
    instance: "Name of the CLM service",
    base: "Address of the CLM service",
    path: "Page of a contract",
    pathHint: "Relative to the address, for example contracts/view. Empty: no link is set up.",
    parameter: "Parameter for the contract",
    parameterHint: "The service puts the external id of the contract into it. Empty: none.",
    establish: "Establish",
    changed: (what: string) => (what ? `Changed: ${what}.` : "Nothing had to be changed."),
  },

  sync: {
    heading: "Synchronisation of master data",
    grid: "Entities and companies",
    head: ["Entity", "Company", "Pattern", "Last run", "Rows", "Pending"],
    run: "Run now",
    running: "Synchronising",
    hint: "A pass of this page counts what has changed and lets the rows go; it has checkpoints of its own, and takes nothing from another sync.",
    refresh: "Refresh",
    yes: "yes",
    no: "no",
    none: "Nothing has been synchronised here yet.",
    history: "Passes of this visit",
    passed: (rows: number, deleted: number) =>
      `${many(rows, "row", "rows")}, ${many(deleted, "deletion", "deletions")}.`,
  },

  contracts: {
    list: "Contracts",
    head: ["Contract", "Name", "Type", "Status", "Actions"],
    refresh: "Load contracts",
    none: "There are no contracts.",
    detail: (id: string) => `Contract ${id}`,
    open: (id: string) => `Show ${id}`,
    show: "Show",
    status: "New status",
    setStatus: "Set status",
    statusSet: (status: string) => `The status is ${status} now.`,
    fields: "Properties",
    fieldHead: ["Property", "Value"],
    link: "Open in SCM",
    agreement: "Purchase agreement",
    noAgreement: "No purchase agreement belongs to this contract.",
    header: "Header",
    lines: "Lines",
    valid: "The service's validation has no findings.",
    findings: "Validation",
    findingHead: ["Line", "Field", "Finding"],
    statuses: [
      "Draft",
      "WaitingForReview",
      "Reviewed",
      "WaitingForApproval",
      "Approved",
      "Rejected",
      "WaitingForSignatures",
      "WaitingForInternalSignatures",
      "WaitingForExternalSignatures",
      "Executed",
      "OnHold",
      "Cancelled",
      "Terminated",
      "Expired",
    ],
  },
};
