(() => {
  const slug = location.pathname.split("/")[2];
  try {
    const sent = sessionStorage["sent " + slug];
    if (sent) sessionStorage["answered " + slug] = sent;
  } catch {}
})();
