// Scans a transcriptome by shards and joins them, as ../Snakefile does. Never run: there was no Nextflow here.
//
//   nextflow run workflow/nextflow/main.nf --mirnas mirnas.fa --transcripts utrs.fa -process.executor slurm

params.mirnas = 'mirnas.fa'
params.transcripts = 'utrs.fa'
params.out = 'sites.tsv'
params.format = 'tsv'
params.shards = 8
params.threads = 4
params.options = ''
params.mirador = "${projectDir}/../../target/release/mirador"
params.weights = "${projectDir}/../../weights"
// Nextflow gives each try a new folder. What a killed one had lies here, where the next one finds it.
params.parts = "${launchDir}/${params.out}.shards"

process SCAN {
    cpus params.threads
    memory '2 GB'
    time '4 h'
    errorStrategy 'retry'
    maxRetries 2

    input:
    tuple val(shard), path(mirnas), path(transcripts)

    output:
    tuple val(shard), path("${shard}-of-${params.shards}.${params.format}")

    script:
    def name = "${shard}-of-${params.shards}.${params.format}"
    def out = "${params.parts}/${name}"
    """
    mkdir -p '${params.parts}'
    [ -e '${out}.part' ] || rm -f '${out}.part.json'
    [ -e '${out}' ] || '${params.mirador}' scan --weights-dir '${params.weights}' --mirnas '${mirnas}' \\
        --transcripts '${transcripts}' --format ${params.format} ${params.options} \\
        --shard ${shard}/${params.shards} --threads ${task.cpus} --out '${out}'
    mv '${out}' '${name}'
    """
}

process JOIN {
    publishDir launchDir, mode: 'copy'

    input:
    path shards

    output:
    path params.out

    script:
    "cat ${shards} > '${params.out}'"
}

workflow {
    files = [file(params.mirnas, checkIfExists: true), file(params.transcripts, checkIfExists: true)]
    parts = SCAN(Channel.of(1..params.shards).map { shard -> [shard, *files] })
    JOIN(parts.toSortedList { a, b -> a[0] <=> b[0] }.map { all -> all.collect { it[1] } })
}
