// Holds documents of other projects' kinds to their schemas: crds.cjs FILE, with documents as a list in JSON. Ends with 1
// where one is refused, or where a kind has no schema here; prints how many there were.
const kinds = {
  "keda.sh/v1alpha1": require("@kubernetes-models/keda/keda.sh/v1alpha1"),
  "monitoring.coreos.com/v1": require("@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1"),
};
const documents = JSON.parse(require("fs").readFileSync(process.argv[2], "utf8"));

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
