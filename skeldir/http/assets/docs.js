// Shows one contract at a time; the choice is kept in the address.
(async () => {
  const { contracts } = await (await fetch("/api/contracts")).json();
  const select = document.getElementById("contract");
  const download = document.getElementById("download");
  for (const { name } of contracts) select.add(new Option(name, name));
  const show = () => {
    const wanted = decodeURIComponent(location.hash.slice(1)).split("/operations/")[0];
    const contract = contracts.find(({ name }) => name === wanted) ?? contracts[0];
    select.value = contract.name;
    download.href = contract.url;
    SwaggerUIBundle({ url: contract.url, dom_id: "#swagger-ui", validatorUrl: null, deepLinking: false });
  };
  select.addEventListener("change", () => { location.hash = encodeURIComponent(select.value); });
  addEventListener("hashchange", show);
  show();
})();
