// Reads, writes, searches, pages, transactions and histories through fhir-kit-client, a client we did
// not write. Usage: node client.mjs BASE_URL [TOKEN]

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Client, RESPONSE_KEY } from 'fhir-kit-client';

const baseUrl = process.argv[2];
assert.ok(baseUrl, 'the base address of the server is the first argument');
const bearerToken = process.argv[3];
const client = new Client(bearerToken ? { baseUrl, bearerToken } : { baseUrl });
const system = 'urn:plummer:clients';
const run = randomUUID();
const identifier = (name) => [{ system, value: `${run}-${name}` }];
const token = (name) => `${system}|${run}-${name}`;
let passed = 0;

async function step(name, act) {
  await act();
  passed += 1;
  console.log(`ok ${passed} ${name}`);
}

// The client throws for a status of 400 and above; its error holds the response.
async function refused(status, act) {
  try {
    await act();
  } catch (error) {
    assert.equal(error.response?.status, status, error.message);
    return error.response.data;
  }
  assert.fail(`expected to be refused with ${status}`);
}

let patient;

await step('the capability statement names FHIR R4 and the interactions', async () => {
  const statement = await client.capabilityStatement();
  assert.equal(statement.resourceType, 'CapabilityStatement');
  assert.equal(statement.fhirVersion, '4.0.1');
  const type = statement.rest[0].resource.find((r) => r.type === 'Patient');
  const codes = type.interaction.map((i) => i.code);
  for (const code of ['read', 'vread', 'create', 'update', 'delete', 'search-type', 'history-instance']) {
    assert.ok(codes.includes(code), code);
  }
});

await step('a create answers with the resource and its place', async () => {
  const body = {
    resourceType: 'Patient',
    identifier: identifier('one'),
    name: [{ family: 'Ångström', given: ['Ada'] }],
    birthDate: '1970-01-02',
  };
  patient = await client.create({ resourceType: 'Patient', body });
  assert.equal(patient.meta.versionId, '1');
  const response = patient[RESPONSE_KEY];
  assert.equal(response.status, 201);
  assert.match(response.headers.get('location'), new RegExp(`Patient/${patient.id}/_history/1$`));
});

await step('a read gives it back', async () => {
  const read = await client.read({ resourceType: 'Patient', id: patient.id });
  assert.deepEqual(read, patient);
});

await step('an update makes a new version, and one based on an old version is refused', async () => {
  const body = { ...patient, active: true };
  const updated = await client.update({
    resourceType: 'Patient', id: patient.id, body, options: { headers: { 'If-Match': 'W/"1"' } },
  });
  assert.equal(updated.meta.versionId, '2');
  await refused(412, () => client.update({
    resourceType: 'Patient', id: patient.id, body, options: { headers: { 'If-Match': 'W/"1"' } },
  }));
});

await step('every version can be read, and the history lists both', async () => {
  const first = await client.vread({ resourceType: 'Patient', id: patient.id, version: '1' });
  assert.equal(first.active, undefined);
  const history = await client.resourceHistory({ resourceType: 'Patient', id: patient.id });
  assert.equal(history.type, 'history');
  assert.deepEqual(history.entry.map((e) => e.resource.meta.versionId), ['2', '1']);
  const types = await client.typeHistory({ resourceType: 'Patient' });
  assert.equal(types.type, 'history');
  const system = await client.systemHistory();
  assert.equal(system.type, 'history');
});

await step('a conditional create finds what is there', async () => {
  const body = { resourceType: 'Patient', identifier: identifier('one') };
  const options = { headers: { 'If-None-Exist': `identifier=${encodeURIComponent(token('one'))}` } };
  const found = await client.create({ resourceType: 'Patient', body, options });
  assert.equal(found[RESPONSE_KEY].status, 200);
  assert.equal(found.id, patient.id);
});

await step('a conditional update creates, then updates', async () => {
  const body = { resourceType: 'Organization', identifier: identifier('org'), name: 'Ward' };
  const searchParams = { identifier: token('org') };
  const made = await client.update({ resourceType: 'Organization', searchParams, body });
  assert.equal(made[RESPONSE_KEY].status, 201);
  const again = await client.update({ resourceType: 'Organization', searchParams, body: { ...body, name: 'Ward 2' } });
  assert.equal(again.id, made.id);
  assert.equal(again.meta.versionId, '2');
});

await step('a transaction resolves references inside it, all or nothing', async () => {
  const fullUrl = `urn:uuid:${randomUUID()}`;
  const entry = [{
    fullUrl,
    resource: { resourceType: 'Encounter', identifier: identifier('visit'), status: 'finished',
      class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' },
      subject: { reference: `Patient/${patient.id}` } },
    request: { method: 'POST', url: 'Encounter' },
  }];
  for (let i = 0; i < 45; i += 1) {
    entry.push({
      resource: { resourceType: 'Observation', identifier: identifier('obs'), status: 'final',
        code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] },
        subject: { reference: `Patient/${patient.id}` }, encounter: { reference: fullUrl },
        effectiveDateTime: `2026-01-01T10:${String(i).padStart(2, '0')}:00Z`,
        valueQuantity: { value: 60 + i, unit: '/min', system: 'http://unitsofmeasure.org', code: '/min' } },
      request: { method: 'POST', url: 'Observation' },
    });
  }
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry };
  const answer = await client.transaction({ body: bundle });
  assert.equal(answer.type, 'transaction-response');
  assert.equal(answer.entry.length, 46);
  assert.ok(answer.entry.every((e) => e.response.status.startsWith('201')));
  const broken = { ...bundle, entry: [...entry, { resource: { resourceType: 'Patient', bogus: 1 }, request: { method: 'POST', url: 'Patient' } }] };
  const outcome = await refused(422, () => client.transaction({ body: broken }));
  assert.equal(outcome.resourceType, 'OperationOutcome');
  const count = await client.search({ resourceType: 'Encounter', searchParams: { identifier: token('visit'), _summary: 'count' } });
  assert.equal(count.total, 1);
});

await step('a search by chain, sorted, is walked forth and back by its links', async () => {
  const searchParams = { 'subject:Patient.identifier': token('one'), _sort: 'date', _count: '20', _total: 'accurate' };
  let page = await client.search({ resourceType: 'Observation', searchParams });
  assert.equal(page.total, 45);
  const seen = [];
  let pages = 0;
  let last;
  while (page) {
    pages += 1;
    seen.push(...page.entry.map((e) => e.resource.valueQuantity.value));
    last = page;
    page = await client.nextPage({ bundle: page });
  }
  assert.equal(pages, 3);
  assert.deepEqual(seen, Array.from({ length: 45 }, (_, i) => 60 + i));
  const back = await client.prevPage({ bundle: last });
  assert.deepEqual(back.entry.map((e) => e.resource.valueQuantity.value), seen.slice(20, 40));
});

await step('the same search by POST, in the compartment and with includes', async () => {
  const searchParams = { identifier: token('obs'), _include: 'Observation:encounter', _count: '5' };
  const page = await client.resourceSearch({ resourceType: 'Observation', searchParams, options: { postSearch: true } });
  assert.equal(page.entry.filter((e) => e.search.mode === 'match').length, 5);
  assert.equal(page.entry.filter((e) => e.search.mode === 'include').length, 1);
  const own = await client.compartmentSearch({
    resourceType: 'Observation', compartment: { resourceType: 'Patient', id: patient.id }, searchParams: { _summary: 'count' },
  });
  assert.equal(own.total, 45);
});

await step('references are followed', async () => {
  const page = await client.search({ resourceType: 'Observation', searchParams: { identifier: token('obs'), _count: '1' } });
  const observation = page.entry[0].resource;
  const subject = await client.resolve({ reference: observation.subject.reference });
  assert.equal(subject.id, patient.id);
});

await step('a batch answers each entry by itself', async () => {
  const body = { resourceType: 'Bundle', type: 'batch', entry: [
    { request: { method: 'GET', url: `Patient/${patient.id}` } },
    { request: { method: 'GET', url: 'Patient/not-there' } },
  ] };
  const answer = await client.batch({ body });
  assert.deepEqual(answer.entry.map((e) => e.response.status.slice(0, 3)), ['200', '404']);
});

await step('$everything of the patient', async () => {
  const everything = await client.operation({ name: 'everything', resourceType: 'Patient', id: patient.id, method: 'GET' });
  assert.equal(everything.resourceType, 'Bundle');
  assert.ok(everything.entry.some((e) => e.resource.resourceType === 'Encounter'));
});

await step('what is wrong is refused with its reason', async () => {
  const invalid = await refused(422, () => client.create({ resourceType: 'Patient', body: { resourceType: 'Patient', birthDate: 'yesterday' } }));
  assert.equal(invalid.issue[0].expression[0], 'Patient.birthDate');
  const unknown = await refused(400, () => client.search({ resourceType: 'Patient', searchParams: { nonsense: '1' } }));
  assert.equal(unknown.resourceType, 'OperationOutcome');
  await refused(404, () => client.read({ resourceType: 'Patient', id: 'not-there' }));
});

await step('a deleted resource is gone, and its history stays', async () => {
  const extra = await client.create({ resourceType: 'Basic', body: { resourceType: 'Basic', code: { text: run } } });
  await client.delete({ resourceType: 'Basic', id: extra.id });
  await refused(410, () => client.read({ resourceType: 'Basic', id: extra.id }));
  const history = await client.resourceHistory({ resourceType: 'Basic', id: extra.id });
  assert.equal(history.entry.length, 2);
  assert.equal(history.entry[0].request.method, 'DELETE');
});

console.log(`${passed} steps passed`);
