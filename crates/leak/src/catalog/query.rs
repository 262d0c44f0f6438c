//! Families that are searches and histories: patterns, which [`crate::template`] turns into questions.
//! Hidden values are 4.1 before and 9.7 after, visible ones lie between 3 and 8; and so for dates,
//! codes and names (`crate::body`).

pub(super) const SEARCH_ID: &[&str] =
    &["{any.kind}?_id={any.id}", "{any.kind}?_id={any.id},{own}", "Patient?_id={id:Patient}"];

pub(super) const SEARCH_IDENTIFIER: &[&str] = &[
    "{any.kind}?identifier=urn:leak:bench|{any.name}",
    "Patient?identifier={name:Patient}",
    "Observation?identifier=urn:leak:bench|{name:Observation}",
];

pub(super) const SEARCH_REFERENCE: &[&str] = &[
    "Observation?patient={id:Patient}",
    "Observation?subject=Patient/{id:Patient}",
    "Encounter?patient={id:Patient}",
    "Coverage?beneficiary={id:Patient}",
    "Appointment?patient={id:Patient}",
    "DocumentReference?patient={id:Patient}",
    "Observation?encounter={id:Encounter}",
    "Observation?derived-from={id:Observation}",
    "DiagnosticReport?result={id:Observation}",
    "{type}?patient={own}",
    "!Observation?patient={own}&_count=100",
    "Observation?performer={dr}",
    "MedicationRequest?requester={dr}",
    "Patient?general-practitioner={dr}",
    "Patient?organization={org}",
    "Patient?organization={org2}",
    "Encounter?service-provider={org2}",
    "Encounter?location={loc2}",
    "Observation?encounter={enc}",
];

pub(super) const SEARCH_VALUE: &[&str] = &[
    "Observation?value-quantity=gt9",
    "Observation?value-quantity=4.1",
    "Observation?date=ge2023",
    "Observation?date=lt2021",
    "Observation?code=4548-4",
    "Observation?code=http://loinc.org|2345-7",
    "Condition?code=4548-4,2345-7",
    "Condition?onset-date=ge2023",
    "DiagnosticReport?code=2345-7",
    "MedicationRequest?authoredon=ge2023",
    "MedicationRequest?status=completed",
    "Procedure?date=ge2023",
    "DocumentReference?description=zin",
    "DocumentReference?description=amar",
    "Encounter?date=ge2023",
    "Encounter?status=planned,finished",
    "Appointment?date=ge2023",
    "Appointment?status=fulfilled",
    "Claim?created=ge2023",
    "Account?name=zin",
    "Communication?sent=ge2023",
    "Consent?date=ge2023",
    "Patient?family=Amb",
    "Patient?name=Zimm",
    "Patient?birthdate=lt1960",
    "Patient?birthdate=ge1990",
    "Patient?gender=male",
    "Patient?address-city=Zell",
    "RelatedPerson?name=Zimm",
];

pub(super) const HAS_QUANTITY: &[&str] = &[
    "Practitioner?_has:Observation:performer:value-quantity=gt9",
    "Practitioner?_has:Observation:performer:value-quantity=gt8.5",
    "Practitioner?_has:Observation:performer:value-quantity=4.1",
    "Patient?_has:Observation:patient:value-quantity=gt9",
    "Patient?_has:Observation:patient:value-quantity=4.1",
    "Encounter?_has:Observation:encounter:value-quantity=gt9",
    "!Practitioner?_id={dr}&_has:Observation:performer:value-quantity=gt9",
];

pub(super) const HAS_DATE: &[&str] = &[
    "Practitioner?_has:Observation:performer:date=ge2023",
    "Practitioner?_has:Observation:performer:date=lt2021",
    "Patient?_has:Observation:patient:date=ge2023",
    "Patient?_has:Condition:patient:onset-date=ge2023",
    "Practitioner?_has:Condition:asserter:onset-date=lt2021",
    "Organization?_has:Patient:organization:birthdate=ge1990",
    "Practitioner?_has:Patient:general-practitioner:birthdate=lt1960",
    "Location?_has:Encounter:location:date=ge2023",
    "Organization?_has:Encounter:service-provider:date=ge2023",
    "Practitioner?_has:Appointment:practitioner:date=ge2023",
    "Patient?_has:Claim:patient:created=ge2023",
];

pub(super) const HAS_CODE: &[&str] = &[
    "Practitioner?_has:Observation:performer:code=2345-7",
    "Practitioner?_has:Observation:performer:code=4548-4",
    "Patient?_has:Condition:patient:code=2345-7",
    "Patient?_has:MedicationRequest:patient:code=4548-4",
    "Practitioner?_has:MedicationRequest:requester:status=completed",
    "Practitioner?_has:Condition:asserter:code=2345-7",
    "Encounter?_has:Condition:encounter:code=2345-7",
    "Organization?_has:Patient:organization:gender=male",
    "Patient?_has:DocumentReference:patient:type=2345-7",
    "Practitioner?_has:AllergyIntolerance:recorder:code=2345-7",
];

pub(super) const HAS_STRING: &[&str] = &[
    "Organization?_has:Patient:organization:family=Zim",
    "Organization?_has:Patient:organization:family=Amb",
    "Practitioner?_has:Patient:general-practitioner:name=zinnia",
    "Organization?_has:Patient:organization:address-city=Zell",
    "Patient?_has:DocumentReference:patient:description=zin",
    "Practitioner?_has:DocumentReference:author:description=amar",
    "Encounter?_has:DocumentReference:encounter:description=zin",
    "Organization?_has:Account:owner:name=zin",
    "Patient?_has:RelatedPerson:patient:name=Zimm",
];

pub(super) const HAS_NESTED: &[&str] = &[
    "Encounter?patient._has:Observation:patient:value-quantity=gt9",
    "Coverage?beneficiary._has:Condition:patient:code=2345-7",
    "Practitioner?_has:Observation:performer:_has:DiagnosticReport:result:code=2345-7",
    "Organization?_has:Patient:organization:_has:Observation:patient:value-quantity=gt9",
    "Location?_has:Encounter:location:_has:Condition:encounter:code=2345-7",
    "Practitioner?_has:Observation:performer:patient.family=Zim",
    "Organization?_has:Patient:organization:general-practitioner._has:Observation:performer:value-quantity=gt9",
];

pub(super) const CHAIN: &[&str] = &[
    "Observation?derived-from:Observation.value-quantity=gt9",
    "Observation?derived-from:Observation.code=2345-7",
    "DiagnosticReport?result.value-quantity=gt9",
    "DiagnosticReport?result.date=ge2023",
    "Encounter?diagnosis:Condition.code=2345-7",
    "Encounter?reason-reference:Condition.onset-date=ge2023",
    "Appointment?reason-reference:Condition.code=2345-7",
    "Appointment?reason-reference:Condition.onset-date=lt2021",
    "List?item:Observation.code=2345-7",
    "Composition?entry:Observation.value-quantity=gt9",
    "DocumentReference?related:Observation.code=2345-7",
    "Consent?data:Observation.code=2345-7",
    "Provenance?target:Observation.code=2345-7",
    "Observation?patient.family=Zim",
    "Appointment?patient.birthdate=ge1990",
    "Coverage?beneficiary.family=Zim",
    "Observation?encounter.status=finished,planned",
];

pub(super) const CHAIN_FAR: &[&str] = &[
    "DiagnosticReport?result:Observation.derived-from:Observation.value-quantity=gt9",
    "DiagnosticReport?result:Observation.derived-from:Observation.code=2345-7",
    "DiagnosticReport?result:Observation.derived-from:Observation.date=ge2023",
    "Encounter?diagnosis:Condition.encounter.date=ge2023",
    "Appointment?reason-reference:Condition.encounter.status=finished",
    "Appointment?reason-reference:Condition.patient.family=Zim",
    "Consent?data:Observation.encounter.date=ge2023",
    "Provenance?target:Observation.patient.birthdate=ge1990",
    "List?item:Observation.patient.family=Zim",
];

pub(super) const INCLUDE: &[&str] = &[
    "Observation?_include=Observation:derived-from",
    "Observation?_include=Observation:derived-from:Observation",
    "DiagnosticReport?_include=DiagnosticReport:result",
    "Encounter?_include=Encounter:diagnosis",
    "Encounter?_include=Encounter:reason-reference",
    "Appointment?_include=Appointment:reason-reference",
    "List?_include=List:item",
    "Composition?_include=Composition:entry",
    "DocumentReference?_include=DocumentReference:related",
    "Consent?_include=Consent:data",
    "Provenance?_include=Provenance:target",
    "Claim?_include=Claim:encounter",
];

pub(super) const INCLUDE_ITERATE: &[&str] = &[
    "DiagnosticReport?_include=DiagnosticReport:result&_include:iterate=Observation:derived-from",
    "Appointment?_include=Appointment:reason-reference&_include:iterate=Condition:encounter",
    "Encounter?_include=Encounter:diagnosis&_include:iterate=Condition:patient",
    "List?_include=List:item&_include:iterate=Observation:encounter",
];

pub(super) const INCLUDE_WILDCARD: &[&str] = &[
    "Observation?_include=*",
    "List?_include=List:*",
    "Encounter?_include=*",
    "DiagnosticReport?_include=*",
    "Appointment?_include=*",
    "Consent?_include=*",
    "Practitioner?_revinclude=*",
    "Patient?_revinclude=*",
];

pub(super) const REVINCLUDE: &[&str] = &[
    "Practitioner?_revinclude=Observation:performer",
    "Practitioner?_revinclude=MedicationRequest:requester",
    "Practitioner?_revinclude=Appointment:practitioner",
    "Practitioner?_revinclude=Patient:general-practitioner",
    "Organization?_revinclude=Patient:organization",
    "Organization?_revinclude=Encounter:service-provider",
    "Location?_revinclude=Encounter:location",
    "Patient?_revinclude=Observation:patient",
    "Patient?_revinclude=Condition:patient",
    "Patient?_revinclude=Coverage:beneficiary",
    "Encounter?_revinclude=Observation:encounter",
];

pub(super) const REVINCLUDE_ITERATE: &[&str] = &[
    "Organization?_revinclude=Patient:organization&_revinclude:iterate=Observation:patient",
    "Practitioner?_revinclude=Observation:performer&_revinclude:iterate=DiagnosticReport:result",
    "Patient?_revinclude=Encounter:patient&_revinclude:iterate=Observation:encounter",
];

pub(super) const TOTAL: &[&str] = &[
    "!{type}?_total=accurate&_count=1",
    "!{type}?_total=estimate&_count=1",
    "!{type}?patient={own}&_total=accurate&_count=1",
];

pub(super) const COUNT: &[&str] = &[
    "!{type}?_summary=count",
    "!{type}?_summary=count&_lastUpdated=ge2000",
    "!Practitioner?_summary=count&_has:Observation:performer:value-quantity=gt9",
    "!Observation?_summary=count&derived-from:Observation.value-quantity=gt9",
];

pub(super) const PAGE_SIZE: &[&str] =
    &["{type}?_count=0", "{type}?_count=1", "Observation?_count=100000", "Observation?_count=-1"];

pub(super) const SORT: &[&str] = &[
    "Observation?_sort=value-quantity&_count=3",
    "Observation?_sort=-value-quantity&_count=3",
    "Observation?_sort=-date&_count=2",
    "Observation?_sort=date&_count=2",
    "Observation?_sort=code",
    "Observation?_sort=-_lastUpdated&_count=2",
    "Observation?_sort=_id&_count=3",
    "Patient?_sort=family&_count=2",
    "Patient?_sort=-birthdate&_count=2",
    "Appointment?_sort=-date&_count=2",
    "Encounter?_sort=-date&_count=2",
    "Coverage?_sort=_lastUpdated&_count=2",
    "Practitioner?_sort=family",
    "!Observation?patient={own}&_sort=-date&_count=2",
];

pub(super) const SORT_CHAINED: &[&str] = &[
    "Observation?_sort=derived-from.value-quantity",
    "Observation?_sort=patient.family",
    "DiagnosticReport?_sort=result.value-quantity",
    "Appointment?_sort=reason-reference.code",
    "Encounter?_sort=-diagnosis.onset-date",
];

pub(super) const HISTORY_TYPE: &[&str] = &["!{type}/_history?_count=30"];

pub(super) const HISTORY_SYSTEM: &[&str] = &["!_history?_count=50", "!_history?_count=1"];

pub(super) const HISTORY_SINCE: &[&str] = &[
    "!{type}/_history?_since={since}&_count=30",
    "!Observation/_history?_since=2000-01-01T00:00:00Z&_count=30",
    "!Observation/_history?_at={since}&_count=30",
    "!Patient/{own}/_history?_since={since}",
    "!Patient/{own}/$everything?_since={since}",
];

pub(super) const MISSING: &[&str] = &[
    "Condition?abatement-date:missing=false",
    "Condition?abatement-date:missing=true",
    "Observation?value-quantity:missing=false",
    "Observation?derived-from:missing=true",
    "Patient?birthdate:missing=false",
    "Appointment?reason-reference:missing=false",
    "Practitioner?_has:Condition:asserter:abatement-date:missing=false",
    "Patient?_has:Condition:patient:abatement-date:missing=false",
];

pub(super) const NOT: &[&str] = &[
    "Observation?code:not=718-7",
    "Condition?clinical-status:not=active",
    "Encounter?status:not=planned",
    "Patient?gender:not=female",
    "Appointment?status:not=booked",
    "Account?status:not=inactive",
    "Practitioner?_has:Observation:performer:code:not=718-7",
    "Patient?_has:Observation:patient:code:not=718-7",
];

pub(super) const ABOVE_BELOW: &[&str] = &[
    "Observation?code:below=http://loinc.org|2345-7",
    "Condition?code:above=http://loinc.org|2345-7",
    "{type}?_profile:below=http://leak.example",
    "Observation?_profile:above=http://leak.example/zinnia/x",
    "Observation?_source:below=urn:leak",
];

pub(super) const COMPOSITE: &[&str] = &[
    "Observation?code-value-quantity=2345-7$gt9",
    "Observation?code-value-quantity=4548-4$lt5",
    "Observation?combo-code-value-quantity=2345-7$gt9",
    "Observation?component-code-value-quantity=2345-7$gt9",
    "DocumentReference?relatesto=x$transforms",
    "Practitioner?_has:Observation:performer:code-value-quantity=2345-7$gt9",
    "Patient?_has:Observation:patient:code-value-quantity=2345-7$gt9",
];

pub(super) const STRING_MODIFIER: &[&str] = &[
    "Patient?family:exact=Zimmerly",
    "Patient?name:contains=imme",
    "DocumentReference?description:contains=inni",
    "Account?name:exact=zinnia",
    "Observation?code:text=zinnia",
    "Condition?code:text=amaranth",
    "Patient?_has:DocumentReference:patient:description:contains=inni",
];

pub(super) const IDENTIFIER_MODIFIER: &[&str] = &[
    "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|{name:Patient}",
    "Observation?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|{name:Observation}",
    "Coverage?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203|MR|{name:Coverage}",
    "Observation?patient:identifier=urn:leak:bench|{name:Patient}",
    "Observation?subject:Patient.identifier=urn:leak:bench|{name:Patient}",
];

pub(super) const TEXT: &[&str] =
    &["{type}?_text=zinnia", "{type}?_text=amaranth", "!Observation?_text=zinnia&_summary=count"];

pub(super) const CONTENT: &[&str] = &[
    "{type}?_content=zinnia",
    "{type}?_content=amaranth",
    "!Observation?_content=zinnia&_summary=count",
];

pub(super) const FILTER: &[&str] = &[
    "Observation?_filter=value-quantity gt 9",
    "Patient?_filter=family sw \"Zim\"",
    "Appointment?_filter=reason-reference re Condition/{id:Condition}",
];

pub(super) const NAMED_QUERY: &[&str] = &[
    "Patient?_query=mpi&family=Zimmerly",
    "Observation?_query=current-high&value-quantity=gt9",
    "Encounter?_query=maxdate&patient={id:Patient}",
];

pub(super) const LIST: &[&str] = &[
    "Observation?_list={id:List}",
    "Condition?_list={id:List}",
    "Observation?_list={pre}-own-list",
    "Condition?_list={pre}-own-list",
    "Patient?_list=$current-problems",
];

pub(super) const LABEL: &[&str] = &[
    "{type}?_security={label}",
    "{type}?_security={label2}",
    "{type}?_security:not={label}",
    "!Observation?_security={label}&_summary=count",
    "Patient?_has:Observation:patient:_security={label2}",
    "Practitioner?_has:Observation:performer:_security={label2}",
];

pub(super) const TAG: &[&str] = &[
    "{type}?_tag=urn:leak:bench|zinnia&_count=20",
    "{type}?_profile=http://leak.example/zinnia",
    "{type}?_source=urn:leak:bench:amaranth",
    "Practitioner?_has:Observation:performer:_tag=urn:leak:bench|zinnia",
];

pub(super) const LAST_UPDATED: &[&str] = &[
    "{type}?_lastUpdated=ge2000",
    "{type}?_lastUpdated=gt{since}",
    "!{type}?_lastUpdated=gt{since}&_summary=count",
    "!Observation?_sort=-_lastUpdated&_count=1",
    "Practitioner?_has:Observation:performer:_lastUpdated=gt{since}",
    "Patient?_has:Observation:patient:_lastUpdated=gt{since}",
    "Observation?derived-from:Observation._lastUpdated=gt{since}",
];

pub(super) const ELEMENTS: &[&str] = &[
    "{type}?_elements=id",
    "Observation?_elements=valueQuantity",
    "Patient?_elements=name",
    "{type}?_summary=true",
    "Observation?_summary=text",
    "Observation?_summary=data",
];

pub(super) const DUPLICATE: &[&str] = &[
    "Observation?patient={own}&patient={id:Patient}",
    "Observation?patient={id:Patient}&patient={own}",
    "Observation?_id={id:Observation}&_id={pre}-own-observation",
    "Observation?code=2345-7&code=2345-7",
    "Observation?_count=1&_count=50&value-quantity=gt9",
];

pub(super) const SEVERAL_TYPES: &[&str] = &[
    "?_type=Patient,Observation",
    "?_type=Observation,Condition&_lastUpdated=gt{since}",
    "!?_type=Patient,Observation,Condition&_summary=count",
    "?_type=Patient,Practitioner&name=Zimm",
    "?_type=Observation,Coverage&_id={id:Observation}",
];

pub(super) const CONTAINED: &[&str] = &[
    "Observation?_contained=true",
    "Observation?_contained=both&value-quantity=gt9",
    "Patient?_contained=true&_containedType=contained&family=Zim",
];

pub(super) const CARRIER: &[&str] = &[
    "!List/{pre}-own-list",
    "!Composition/{pre}-own-composition",
    "!DocumentReference/{pre}-own-documentreference",
    "!Provenance/{pre}-own-provenance",
    "!Consent/{pre}-own-consent",
    "!Observation/{pre}-own-observation",
    "List?item=Observation/{id:Observation}",
    "Composition?entry=Observation/{id:Observation}",
    "DocumentReference?related=Observation/{id:Observation}",
    "Provenance?target=Observation/{id:Observation}",
    "Consent?data=Observation/{id:Observation}",
    "List?item.identifier=urn:leak:bench|{name:Observation}",
];

pub(super) const CAPABILITY: &[&str] =
    &["!metadata", "!metadata?mode=terminology", "!metadata?_elements=rest"];

pub(super) const ACCESS_LOG: &[&str] = &[
    "!AuditEvent?patient={id:Patient}",
    "!AuditEvent?entity=Observation/{id:Observation}",
    "!AuditEvent?_count=5",
    "!AuditEvent?_summary=count",
    "!AuditEvent/_history?_count=5",
    "!Practitioner?_id={dr}&_revinclude=AuditEvent:entity",
];
