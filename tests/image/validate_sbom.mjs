// Holds a bill of materials on standard input against the published schema of CycloneDX 1.6, no member unknown.
import { readFileSync } from 'node:fs';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';

const errors = await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(readFileSync(0, 'utf8'));
if (errors !== null) {
  console.error(JSON.stringify(errors, null, 1));
  process.exit(1);
}
