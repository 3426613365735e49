# A small image of the binary dist/fastlane, which `npm run build` makes: docs/docker.md.
# The binary needs glibc 2.27 or later and a shell's tools for the bundled Postgres, nothing else.
ARG BASE=debian:12-slim
FROM ${BASE}

# The bundled Postgres asks for the name of whoever runs it.
RUN echo 'fastlane:x:10000:10000:fastlane:/var/lib/fastlane:/bin/false' >> /etc/passwd \
 && echo 'fastlane:x:10000:' >> /etc/group \
 && mkdir -p /var/lib/fastlane \
 && chown 10000:10000 /var/lib/fastlane \
 && chmod 700 /var/lib/fastlane

COPY dist/fastlane /usr/local/bin/fastlane

USER 10000:10000
# In a container it must listen on every address, so whoever asks must say who they are.
ENV FASTLANE_HOST=0.0.0.0 \
    FASTLANE_REQUIRE_AUTHENTICATION=true \
    FASTLANE_DATA_DIR=/var/lib/fastlane
VOLUME /var/lib/fastlane
EXPOSE 10000
# What runs in containers goes on without it, and the next start takes it over.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["/usr/local/bin/fastlane", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/fastlane"]
CMD ["up"]
