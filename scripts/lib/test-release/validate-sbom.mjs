// Fails and prints the errors if FILE is not valid CycloneDX.
//
//   node validate-sbom.mjs FILE
import { readFileSync } from "node:fs";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";

const text = readFileSync(process.argv[2], "utf8");
const { specVersion } = JSON.parse(text);
const error = await new Validation.JsonStrictValidator(
  Spec.SpecVersionDict[specVersion].version,
).validate(text);
if (error !== null) {
  console.error(error);
  process.exitCode = 1;
}
