// Holds documents of other projects' kinds to their schemas: crds.mjs NODE_MODULES FILE, with documents as a list in JSON.
// Ends with 1 where one is refused, or where a kind has no schema here; prints how many there were.
import { readFileSync } from "node:fs";

const [modules, file] = process.argv.slice(2);
const models = (path) => import(`${modules}/@kubernetes-models/${path}`);
const kinds = {
  "keda.sh/v1alpha1": await models("keda/keda.sh/v1alpha1/index.mjs"),
  "monitoring.coreos.com/v1": await models("prometheus-operator/monitoring.coreos.com/v1/index.js"),
};
const documents = JSON.parse(readFileSync(file, "utf8"));

const refusal = (document) => {
  const Kind = (kinds[document.apiVersion] ?? {})[document.kind];
  if (!Kind) return "no schema of this kind";
  try {
    new Kind(document).validate();
    return null;
  } catch (error) {
    return error.message;
  }
};

// Schemas that let everything pass would be no schemas.
for (const document of documents) {
  const spoilt = structuredClone(document);
  spoilt.spec = {};
  if (!refusal(spoilt)) {
    console.log(`${document.kind} with an empty spec was let pass`);
    process.exitCode = 1;
  }
  const wrong = refusal(document);
  if (wrong) {
    console.log(`${document.kind} ${document.metadata.name}: ${wrong}`);
    process.exitCode = 1;
  }
}
console.log(`${documents.length} documents of KEDA and of Prometheus' operator`);
